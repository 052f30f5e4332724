/** How the parts of a mail are written: the texts of a mail share one encoding. */
export type Encoding = 'quoted-printable' | 'base64'

/** What a text takes in a mail, in bytes (RFC 2045, 6.7 and 6.8, with lines of 76 characters). */
export function encodedSize(text: string, encoding: Encoding): number {
  return encoding === 'base64' ? base64Size(text) : quotedSize(text)
}

/** The encoding in which a text is shorter. */
export function encodingOf(text: string): Encoding {
  return quotedSize(text) <= base64Size(text) ? 'quoted-printable' : 'base64'
}

/** The rows of the first items, as many as there is room for, and how many items have none. */
export function fitting<T>(
  items: readonly T[],
  row: (item: T) => string,
  { room, encoding }: { readonly room: number; readonly encoding: Encoding },
): { rows: string[]; more: number } {
  const rows: string[] = []
  let left = room
  for (const item of items) {
    const made = row(item)
    left -= encodedSize(made, encoding)
    if (left < 0) break
    rows.push(made)
  }
  return { rows, more: items.length - rows.length }
}

function base64Size(text: string): number {
  return Math.ceil((Buffer.byteLength(text) * 78) / 57)
}

function quotedSize(text: string): number {
  const plain = text.replace(/[^\n\t -<>-~]/g, '').length
  // A soft line break ends each line.
  return Math.ceil(((plain + (Buffer.byteLength(text) - plain) * 3) * 77) / 73)
}
