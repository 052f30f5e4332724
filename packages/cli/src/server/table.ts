import { printable } from '@escapement/core/plugin'

/** Characters that take two columns. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/gu

/** Rows under their names, in columns. A table of no rows is its names only. */
export function table(names: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [names, ...rows.map((row) => row.map((cell) => printable(cell)))]
  const widths = names.map((_, i) => Math.max(...all.map((row) => columns(row[i] ?? ''))))
  return all.map((row) =>
    row
      .map((cell, i) => cell + ' '.repeat((widths[i] as number) - columns(cell)))
      .join('  ')
      .trimEnd(),
  )
}

function columns(text: string): number {
  return [...text].length + (text.match(WIDE)?.length ?? 0)
}

/** `850 ms`, `1.2 s`, `3 min 20 s`, `2 h 5 min`. */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** `2026-11-20T09:00:00Z` */
export function instant(iso: string | undefined): string {
  return iso?.replace(/\.\d+Z$/, 'Z') ?? '-'
}
