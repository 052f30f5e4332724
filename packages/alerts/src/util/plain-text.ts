/** Text as it may stand in a message: no control characters, line breaks as they are, cut to a length. */
export function plain(text: string, length: number): string {
  const clean = text
    .replace(/\r\n?/g, '\n')
    // Terminal colours, as test runners and loggers put them into errors.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
    .replace(/\u001b\[[0-9;]*[A-Za-z]/g, '')
    // Control characters, and those that hide or turn the direction of what follows.
    .replace(/(?![\n\t])[\p{Cc}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/gu, '')
    .replace(LONE, '\ufffd')
  return clean.length <= length ? clean : `${clean.slice(0, length).replace(/[\ud800-\udbff]$/, '')}…`
}

/** Half of a pair: it cannot be encoded. */
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** The same on one line. */
export function oneLine(text: string, length: number): string {
  return plain(
    plain(text, length * 4)
      .replace(/\s+/g, ' ')
      .trim(),
    length,
  )
}
