/** Length in UTF-8. */
export function bytes(text: string): number {
  return Buffer.byteLength(text)
}

/** At most so many bytes of UTF-8, no character cut in two; `…` where something is missing. */
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

/**
 * Joins as many of the parts as have room, and says how many have not.
 *
 * @param size What a text counts: `bytes`, or its length.
 */
export function joinWithin(
  parts: readonly string[],
  most: number,
  {
    glue = '\n\n',
    size = bytes,
    more,
  }: { glue?: string; size?: (text: string) => number; more: (left: number) => string },
): string {
  let text = ''
  for (const [i, part] of parts.entries()) {
    const next = text === '' ? part : text + glue + part
    const left = parts.length - i - 1
    const room = left > 0 ? most - size(glue + more(left)) : most
    if (size(next) <= room) {
      text = next
      continue
    }
    if (text === '') return i === 0 ? cutBytes(part, most) : more(parts.length)
    return text + glue + more(left + 1)
  }
  return text
}
