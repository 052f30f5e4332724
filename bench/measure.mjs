import { fork, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const child = (name) => fileURLToPath(new URL(`./child/${name}.mjs`, import.meta.url))

/** Runs a child and reads the JSON of its last line; an error text when it takes too long or fails. */
export function measure(name, args, { nodeArgs = [], timeout = 90_000, env = {} } = {}) {
  return new Promise((resolve) => {
    const process_ = spawn(process.execPath, [...nodeArgs, child(name), ...args.map(String)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    let [out, err] = ['', '']
    process_.stdout.on('data', (chunk) => {
      out += chunk
    })
    process_.stderr.on('data', (chunk) => {
      err += chunk
    })
    const timer = setTimeout(() => process_.kill('SIGKILL'), timeout)
    process_.on('exit', (code) => {
      clearTimeout(timer)
      try {
        resolve(JSON.parse(out.trim().split('\n').at(-1)))
      } catch {
        resolve({
          error: code === null ? `over ${timeout / 1000} s` : (err.trim().split('\n')[0] ?? `code ${code}`),
        })
      }
    })
  })
}

export const forked = (name, args) => fork(child(name), args.map(String))

/** All subjects in turn, several rounds, so that a drift of the machine meets all of them. Figures by subject. */
export async function interleave(subjects, rounds, once) {
  const results = new Map(subjects.map((subject) => [subject, []]))
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) {
      // What was too slow once is not waited for again.
      const done = results.get(subject)
      if (!done.some(({ error }) => error)) done.push(await once(subject, round))
    }
  }
  return results
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted.length === 0 ? Number.NaN : sorted[Math.floor(sorted.length / 2)]
}

/** The medians of each figure over the rounds; the error of the first round that had one. */
export function medians(rounds) {
  const failed = rounds.find(({ error }) => error)
  if (failed) return failed
  return Object.fromEntries(
    Object.keys(rounds[0]).map((key) => [key, median(rounds.map((round) => round[key]))]),
  )
}

/** A Markdown table. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

export const figure = (value, digits = 2) =>
  Number.isFinite(value) ? value.toLocaleString('en', { maximumFractionDigits: digits }) : '–'
