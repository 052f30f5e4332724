// Links in the docs lead somewhere, and some words do not come back: names from before, and idioms that a stranger has to read
// twice. node scripts/check-text.mjs
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Each with what to write instead. */
const WORDS = [
  [/\bcatchUp\b(?!\()/, 'catchUpWindow'],
  [/\bonClaimError\b|\bredisDown\b/, 'onLockUnavailable'],
  [/\bheadStart\b/, 'claimDelay'],
  [/\bmaxStarts\b/, 'maxRestarts'],
  [/\banew\b/i, 'again'],
  [/\b(?:is|are|was|were|be|been) told of\b|\btells? of\b/i, 'reported, logged, emitted'],
  [/\b(?:lets?|letting) (?:\w+ )?go\b/i, 'releases, starts'],
  [/\bheard of\b/i, 'seen alive'],
  [/\b(?:bury|buried|buries|burial|funeral)\b/i, 'mark as abandoned'],
  [/\bstands? still\b|\bstood still\b/i, 'stalls, stops'],
  [/\bof its own accord\b/i, 'by itself'],
  [/\bso many\b/i, 'a number, at most this many'],
  [/(?:^|[.:] |\/\*\* |\* |\/\/ )Who (?!in\b)/, 'a subject that is a thing'],
]

/** Where a name from before must stand: it is refused there, or told of in a table. */
const EXEMPT =
  /^(\.changeset\/names\.md|scripts\/check-text\.mjs|packages\/core\/src\/util\/validate\.ts|packages\/core\/src\/scheduler\/plugins\.ts|.*CHANGELOG\.md|.*RESULTS\.md)$/

const files = execFileSync('git', ['ls-files', 'docs', 'packages', 'README.md', 'CONTRIBUTING.md'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => /(\/src\/.*\.(ts|lua)|\.md)$/.test(path) && !EXEMPT.test(path) && existsSync(path))

const problems = []
for (const path of files) {
  const text = readFileSync(path, 'utf8')
  for (const [at, line] of text.split('\n').entries()) {
    for (const [word, instead] of WORDS) {
      const found = word.exec(line)
      if (found) problems.push(`${path}:${at + 1} "${found[0].trim()}": write ${instead}`)
    }
  }
  if (!path.endsWith('.md')) continue
  for (const [, link] of text.replace(/```.*?```/gs, '').matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
    if (!/^[a-z]+:/.test(link) && !existsSync(join(dirname(path), link))) problems.push(`${path}: no ${link}`)
  }
}
console.log(problems.join('\n'))
if (problems.length > 0) process.exit(1)
