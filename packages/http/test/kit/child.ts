import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { vi } from 'vitest'

const root = fileURLToPath(new URL('../../../..', import.meta.url))

/** How long an event is waited for, in ms. */
const WAIT = { timeout: 50_000, interval: 10 }

/** Something a child told, or that happened to it. */
export interface Told {
  event: string
  /** The scenario. */
  of?: string
  [more: string]: unknown
}

/** A process under test. */
export class Child {
  readonly told: Told[] = []
  output = ''
  /** How the process ended. */
  readonly end: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  readonly #process: ChildProcess
  /** It has ended, and all it told was read. */
  #closed = false

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#process = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, NODE_ENV: 'development', NODE_OPTIONS: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let rest = ''
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line.startsWith('{"event"')) this.told.push(JSON.parse(line) as Told)
    })
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text
    })
    this.end = new Promise((resolve) => {
      this.#process.on('close', (code, signal) => {
        this.#closed = true
        resolve({ code, signal })
      })
    })
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  [Symbol.dispose](): void {
    this.kill('SIGKILL')
  }

  /** The names of what was told, in order. */
  get events(): string[] {
    return names(this.told)
  }

  find(event: string): Told | undefined {
    return this.told.find((each) => each.event === event)
  }

  /** Waits until the child has told an event, of a scenario, so many times. */
  async until(event: string, of?: string, times = 1): Promise<Told> {
    const fits = (each: Told) => each.event === event && (of === undefined || each.of === of)
    const found = () => this.told.filter(fits)[times - 1]
    const what = `'${event}' ${of ?? ''}`
    // Also in hooks, where there is no expect.poll().
    await vi.waitFor(() => assert(found() || this.#closed, `the process has not told ${what}`), WAIT)
    const told = found()
    if (told) return told
    throw new Error(`the process ended before ${what}:\n${this.output}`)
  }

  /** What was told of a scenario, up to its end. */
  async scenario(of: string): Promise<Told[]> {
    const end = this.told.indexOf(await this.until('end', of))
    return this.told.slice(0, end).filter((each) => each.of === of)
  }
}

export function names(told: readonly Told[]): string[] {
  return told.map(({ event }) => event)
}

/** True when the events were told in this order, with others in between. */
export function inOrder(told: readonly Told[], ...events: string[]): boolean {
  let from = 0
  return events.every((event) => {
    const at = names(told).indexOf(event, from)
    from = at + 1
    return at >= 0
  })
}

/** Starts a process: `using child = start(…)` ends it with the test. */
export function start(args: readonly string[], env?: NodeJS.ProcessEnv): Child {
  return new Child(args, env)
}
