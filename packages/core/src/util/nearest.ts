/** Longer words are names of something else, and the work grows with the square of their length. */
const MAX_WORD = 64
const MAX_CANDIDATES = 1_000

/**
 * The candidate that takes the fewest typing errors to get to, if these are few.
 *
 * @param most The number of errors at most. Default: one for every three characters.
 */
export function nearest(
  word: string,
  candidates: readonly string[],
  most: number = Math.max(1, word.length / 3),
): string | undefined {
  if (word.length > MAX_WORD) return
  let best: string | undefined
  let fewest = most
  for (const candidate of candidates.slice(0, MAX_CANDIDATES)) {
    if (Math.abs(candidate.length - word.length) > fewest) continue
    const errors = typingErrors(word.toLowerCase(), candidate.toLowerCase())
    if (errors > fewest || (errors === fewest && best !== undefined)) continue
    best = candidate
    fewest = errors
  }
  return best
}

/** Edit distance (Levenshtein 1966). */
function typingErrors(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const swap = (row[j] as number) + (a[i] === b[j] ? 0 : 1)
      next.push(Math.min(swap, (row[j + 1] as number) + 1, (next[j] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}
