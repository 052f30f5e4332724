/** Length in UTF-8. */
export function bytes(text: string): number {
  return Buffer.byteLength(text)
}

/** Cut to a number of bytes of UTF-8, no character cut in two; `…` where something is missing. */
export function cutBytes(text: string, most: number): string {
  if (bytes(text) <= most) return text
  let room = most - 3
  let end = 0
  for (const char of text) {
    room -= bytes(char)
    if (room < 0) break
    end += char.length
  }
  return most < 3 ? '' : `${text.slice(0, end)}…`
}

/** Joins as many of the parts as there is room for, in bytes, and says how many have none. */
export function joinWithin(
  parts: readonly string[],
  most: number,
  { glue = '\n\n', more }: { glue?: string; more: (left: number) => string },
): string {
  let text = ''
  for (const [i, part] of parts.entries()) {
    const left = parts.length - i - 1
    const rest = left > 0 ? glue + more(left) : ''
    const next = i === 0 ? part : text + glue + part
    if (bytes(next) <= most - bytes(rest)) text = next
    else if (i > 0) return text + glue + more(left + 1)
    else return cutBytes(cutBytes(part, Math.max(0, most - bytes(rest))) + rest, most)
  }
  return text
}
