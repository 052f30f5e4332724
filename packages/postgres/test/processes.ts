import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Line {
  name: string
  event: 'ready' | 'begin' | 'settled'
  key: string
  outcome: string
  reason?: string
  start: number
  fence: number
}

const INSTANCE = fileURLToPath(new URL('./instance.mjs', import.meta.url))
/** How long a line is waited for. */
const PATIENCE_MS = 30_000

interface Waiting<L> {
  until: (line: L) => boolean
  resolve: (line: L) => void
}

/** Instances in processes of their own, and what they write. */
export class Processes<L extends { name: string; event: string } = Line> {
  readonly lines: L[] = []
  readonly #children = new Map<string, ChildProcess>()
  readonly #options: object
  readonly #script: string
  readonly #waiting = new Set<Waiting<L>>()

  constructor(options: object, script: string = INSTANCE) {
    this.#options = options
    this.#script = script
  }

  /** Resolves when it takes ticks. */
  async start(name: string, more: object = {}): Promise<void> {
    const ready = this.line((line) => line.name === name && line.event === 'ready', `${name} to be ready`)
    const argument = JSON.stringify({ ...this.#options, ...more, name })
    const stdio = ['ignore', 'pipe', 'inherit', 'ipc'] as const
    const child = spawn(process.execPath, [this.#script, argument], { stdio: [...stdio] })
    this.#children.set(name, child)
    let rest = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.#take(JSON.parse(line) as L)
    })
    await ready
  }

  /** Resolves with the next line of this kind. */
  line(until: (line: L) => boolean, what = 'a line'): Promise<L> {
    return new Promise((resolve, reject) => {
      const waiting = { until, resolve }
      this.#waiting.add(waiting)
      const late = () => {
        if (!this.#waiting.delete(waiting)) return
        const last = this.lines.slice(-20).map((line) => JSON.stringify(line))
        reject(new Error(`waited ${PATIENCE_MS} ms for ${what}; the last lines: ${last.join('\n')}`))
      }
      setTimeout(late, PATIENCE_MS).unref()
    })
  }

  /** What an instance answers to a message. */
  async ask<T>(name: string, ask: string, about: unknown): Promise<T> {
    const child = this.#children.get(name)
    if (!child) throw new Error(`there is no instance ${name} to ask`)
    const id = `${ask} ${JSON.stringify(about)} ${performance.now()}`
    return new Promise<T>((resolve, reject) => {
      const give = (answer: { id: string; answer: T }) => {
        if (answer.id !== id) return
        child.off('message', give).off('exit', gone)
        resolve(answer.answer)
      }
      const gone = () => reject(new Error(`${name} ended before it answered ${ask}`))
      child.on('message', give).once('exit', gone)
      child.send({ id, ask, about })
    })
  }

  signal(name: string, signal: NodeJS.Signals): void {
    this.#children.get(name)?.kill(signal)
  }

  /** Ends it as a deployment does. Resolves when the process is gone. */
  async stop(name: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#children.get(name)
    if (!child) return
    this.#children.delete(name)
    const closed = new Promise((resolve) => child.once('close', resolve))
    child.kill(signal)
    await closed
  }

  async kill(): Promise<void> {
    await Promise.all([...this.#children.keys()].map((name) => this.stop(name, 'SIGKILL')))
  }

  #take(line: L): void {
    this.lines.push(line)
    for (const waiting of this.#waiting) {
      if (!waiting.until(line)) continue
      this.#waiting.delete(waiting)
      waiting.resolve(line)
    }
  }
}
