/** The FNV-1a hash of a text, 32 bits without sign. It never changes: spreads, `H` and shards of keys depend on it. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
