import { fail } from '@escapement/core/plugin'

/** A mailbox, as nodemailer takes it: nothing is left to be parsed. */
export interface Address {
  readonly name: string
  readonly address: string
}

/** `'ops@example.org'`, `'Ops <ops@example.org>'`, several with commas between, or an array of these. */
export type AddressLike = string | readonly string[]

/**
 * Reads addresses. Line breaks would let an address add headers and recipients: they are refused, as is
 * whatever else is no plain mailbox.
 *
 * @throws ERR_ESCAPEMENT_OPTION
 */
export function parseAddresses(given: unknown, option: string): Address[] {
  const list = (Array.isArray(given) ? given : [given]).flatMap((entry: unknown) =>
    typeof entry === 'string' ? split(entry) : [entry],
  )
  const found = list.map((entry) => (typeof entry === 'string' ? parse(entry.trim()) : undefined))
  const bad = found.indexOf(undefined)
  if (bad >= 0 || found.length === 0) {
    fail(option, 'a mail address such as "Ops <ops@example.org>"', list[bad])
  }
  return found as Address[]
}

/** At commas that are not in quotes. */
function split(text: string): string[] {
  return text.match(/(?:"[^"]*"|[^,"])+/g) ?? [text]
}

function parse(entry: string): Address | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\u0000-\u001f\u007f]/.test(entry) || entry.length > 320) return undefined
  const named = /^(?:"([^"]*)"|([^"<>]*?))\s*<([^<>]*)>$/.exec(entry)
  const address = named ? (named[3] as string) : entry
  if (!/^[^\s<>@",;:()[\]\\]+@[^\s<>@",;:()[\]\\]+$/.test(address)) return undefined
  return { name: named?.[1] ?? named?.[2] ?? '', address }
}
