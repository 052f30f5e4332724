/**
 * Text from outside as it can be shown: escape sequences of terminals are left out, and what would turn the direction of the
 * text or hide in it is made visible. It is shown as text in any case, never as HTML.
 */
export function safe(text: unknown): string {
  return String(text)
    .replace(/\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[@-Z\\-_]/g, '')
    .replace(
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g,
      escaped,
    )
}

const escaped = (char: string) =>
  char === '\r' ? '' : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
