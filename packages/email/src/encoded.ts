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

function base64Size(text: string): number {
  return Math.ceil((Buffer.byteLength(text) * 78) / 57)
}

function quotedSize(text: string): number {
  const plain = text.replace(/[^\n\t -<>-~]/g, '').length
  // A soft line break ends each line.
  return Math.ceil(((plain + (Buffer.byteLength(text) - plain) * 3) * 77) / 73)
}
