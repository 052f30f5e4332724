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

const script = fileURLToPath(new URL('./instance.mjs', import.meta.url))

/** Instances in processes of their own, and what they tell. */
export class Processes {
  readonly lines: Line[] = []
  readonly #children = new Map<string, ChildProcess>()
  readonly #options: object
  #waiting: { until: (line: Line) => boolean; resolve: (line: Line) => void }[] = []

  constructor(options: object) {
    this.#options = options
  }

  /** Resolves when it takes ticks. */
  async start(name: string): Promise<void> {
    const ready = this.line((line) => line.name === name && line.event === 'ready')
    const argument = JSON.stringify({ ...this.#options, name })
    const child = spawn(process.execPath, [script, argument], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#children.set(name, child)
    let rest = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.#tell(JSON.parse(line) as Line)
    })
    await ready
  }

  /** Resolves with the next line of this kind. */
  line(until: (line: Line) => boolean): Promise<Line> {
    return new Promise((resolve) => this.#waiting.push({ until, resolve }))
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

  #tell(line: Line): void {
    this.lines.push(line)
    const due = this.#waiting.filter(({ until }) => until(line))
    this.#waiting = this.#waiting.filter((one) => !due.includes(one))
    for (const { resolve } of due) resolve(line)
  }
}
