import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Child, inOrder, start, type Told } from './child.ts'

const LISTENS = [
  'app.listen',
  'app.listen with host',
  'http.createServer',
  'handler added later',
  'https.createServer',
  'unix socket',
  'port 0',
  'opaque handler',
  'opaque handler, found by a request',
]

const CLOSES = [
  'close(callback)',
  "once('close')",
  'Symbol.asyncDispose',
  'close() twice',
  'with a request under way',
  'with an event stream open',
]

const LIBRARIES = [
  'http-terminator',
  'stoppable',
  '@godaddy/terminus',
  'lightship',
  'http-graceful-shutdown',
  'close-with-grace',
]

/** The run that is under way ends between the beginning of the drain and the end of the server. */
const WHOLE = ['start', 'tick', 'running', 'drain', 'settled', 'stop', 'closed']

const ENDED = { code: 0, signal: null }

/** What must hold for a version of a framework, on real servers in processes of their own. */
export function lifecycle(
  app: URL,
  framework: string,
  more: { listens?: string[]; places: string[]; libraries?: string[]; others?: string[] },
): void {
  const args = (scenarios: string[]) => [app.pathname, framework, JSON.stringify(scenarios)]
  const play = (scenario: string) => start(args([scenario]))

  const whole = [
    ...[...LISTENS, ...(more.listens ?? [])].map((name) => `listen/${name}`),
    ...CLOSES.map((name) => `close/${name}`),
    ...more.places.map((name) => `where/${name}`),
    "another app's server",
    ...(more.others ?? []),
  ]
  const others = [
    'close/a close() taken early',
    'two servers',
    'restart',
    'restart at once',
    'EADDRINUSE',
    'EADDRINUSE, then another port',
    'start: never',
    'a plugin that cannot start at first',
    'a run asked for by a request',
  ]
  // Begins with the file, to be through when it is asked.
  let child: Child
  beforeAll(() => {
    child = new Child(args([...whole, ...others]))
  })
  afterAll(() => child?.kill('SIGKILL'))

  describe(`${framework}: one app after the other in a process`, () => {
    it.each(whole)('starts, and drains: %s', async (scenario) => {
      const told = await child.scenario(scenario)
      expect(told).toSatisfy(() => inOrder(told, ...WHOLE))
      expect(told.filter(({ event }) => event === 'start')).toHaveLength(1)
      expect(told).toContainEqual(expect.objectContaining({ event: 'settled', outcome: 'succeeded' }))
    })

    it('does not wait for open connections before it drains', async () => {
      const told = await child.scenario('close/with an event stream open')
      expect(told).toSatisfy(() => inOrder(told, 'stop', 'still open', 'closed'))
    })

    it('still drains when it learns of the close at its end only', async () => {
      const told = await child.scenario('close/a close() taken early')
      expect(told).toSatisfy(() => inOrder(told, 'running', 'closed', 'settled', 'stop'))
      expect(told).toSatisfy(() => inOrder(told, 'drain', 'settled'))
    })

    it('drains when the last of two servers closes', async () => {
      const told = await child.scenario('two servers')
      expect(told).toSatisfy(() =>
        inOrder(told, 'start', 'first closed', 'running', 'drain', 'settled', 'stop'),
      )
      expect(told).toContainEqual(expect.objectContaining({ event: 'first closed', state: 'running' }))
    })

    it.each(['restart', 'restart at once'])('starts again: %s', async (scenario) => {
      const told = await child.scenario(scenario)
      const again = ['start', 'running', 'drain', 'settled', 'stop', 'closed']
      expect(told).toSatisfy(() => inOrder(told, 'start', 'drain', 'stop', ...again))
      expect(told.filter(({ event }) => event === 'start')).toHaveLength(2)
    })

    it('does not start when the port is taken', async () => {
      const told = await child.scenario('EADDRINUSE')
      expect(told).toMatchObject([{ event: 'error', code: 'EADDRINUSE', state: 'idle' }])
    })

    it('starts when another port is found then', async () => {
      const told = await child.scenario('EADDRINUSE, then another port')
      expect(told).toSatisfy(() => inOrder(told, 'error', 'start', 'drain', 'stop', 'closed'))
    })

    it('leaves the start to you with start: never, and drains', async () => {
      const told = await child.scenario('start: never')
      expect(told).toSatisfy(() =>
        inOrder(told, 'answered', 'start', 'running', 'drain', 'settled', 'closed'),
      )
      expect(told[0]).toMatchObject({ event: 'answered', status: 200, state: 'idle' })
    })

    it('tries again when a plugin cannot start', async () => {
      const told = await child.scenario('a plugin that cannot start at first')
      expect(told).toSatisfy(() => inOrder(told, 'log', 'start', 'drain', 'stop', 'closed'))
    })

    describe('requests', () => {
      const body = (told: Told[], of: string) =>
        JSON.parse(told.find(({ event }) => event === of)?.body as string)
      let told: Told[]
      beforeAll(async () => {
        told = await child.scenario('a run asked for by a request')
      })

      it('ask for runs with cloned data, and get the id at once', () => {
        const id = expect.stringMatching(/^[\da-f-]{36}$/)
        const accepted = { id, early: true, cloned: true, outcome: 'succeeded' }
        expect(body(told, 'accepted')).toEqual(accepted)
      })

      it('cannot give themselves to a run', () => {
        const codes = Object.values(body(told, 'refused'))
        expect(codes.length).toBeGreaterThan(1)
        expect(new Set(codes)).toEqual(new Set(['ERR_ESCAPEMENT_DATA']))
      })

      it('do not lend a run their context', () => {
        expect(body(told, 'context')).toEqual({ result: 'none' })
      })

      it('learn of a run that writes to their finished response', () => {
        const text = 'outlive writes to the finished response of POST /outlive'
        expect(told).toContainEqual(expect.objectContaining({ event: 'log', level: 'warn', text }))
      })

      it('see the health', () => {
        expect(told).toContainEqual(expect.objectContaining({ event: 'healthz', status: 200 }))
        const health = {
          state: 'running',
          live: true,
          ready: true,
          degraded: [],
          lag: expect.any(Number),
          // The run that was asked for may be under way.
          inFlight: expect.any(Number),
          jobs: 4,
        }
        expect(body(told, 'healthz')).toEqual(health)
      })
    })

    it('leaves nothing behind that keeps the process', async () => {
      expect(await child.end).toEqual(ENDED)
    })
  })

  describe.concurrent(`${framework}: shutdown libraries`, () => {
    it.each([...LIBRARIES, ...(more.libraries ?? [])])('%s waits for the run', async (library) => {
      using child = play(`library/${library}`)
      await child.end
      expect(child.told).toSatisfy(() => inOrder(child.told, 'running', 'drain', 'settled', 'stop', 'closed'))
      expect(child.find('settled')).toMatchObject({ outcome: 'succeeded' })
    })
  })

  describe.concurrent(`${framework}: the process`, () => {
    it('of a cluster: each worker starts and drains', async () => {
      using child = play('cluster')
      expect(await child.end).toEqual(ENDED)
      for (const id of [1, 2]) {
        const events = ['start', 'running', 'drain', 'settled', 'stop', 'closed'].map(
          (name) => `${name} ${id}`,
        )
        expect(child.told).toSatisfy(() => inOrder(child.told, ...events))
        const text = 'this process is a worker of a cluster: without a lock plugin each runs every tick'
        expect(child.told).toContainEqual(
          expect.objectContaining({ event: `log ${id}`, level: 'warn', text }),
        )
      }
      const ends = child.told.filter(({ event, id }) => event === 'exit' && id)
      expect(ends).toMatchObject([{ code: 0 }, { code: 0 }])
    })

    it('ends by itself when nothing was started', async () => {
      using child = play('not listening')
      expect(await child.end).toEqual(ENDED)
      expect(child.events).toEqual(['idle', 'end', 'exit'])
    })

    it('does not end before a run', async () => {
      using child = play('a run without a handle')
      expect(await child.end).toEqual(ENDED)
      expect(child.events).toEqual(['running', 'end', 'settled', 'exit'])
    })

    it('is not kept by waiting for the next tick', async () => {
      using child = play('an unreferenced server')
      expect(await child.end).toEqual(ENDED)
      expect(child.told).toSatisfy(() => inOrder(child.told, 'start', 'exit'))
    })

    it('reports the runs it interrupts', async () => {
      using child = play('process.exit() after close()')
      expect(await child.end).toEqual({ code: 3, signal: null })
      expect(child.told.at(-1)).toMatchObject({ event: 'log', level: 'error', jobs: ['work'] })
    })

    it('is not held up by runs beyond the grace, nor by one that ignores the abort', async () => {
      using child = play('beyond the grace')
      expect(await child.end).toEqual(ENDED)
      const settled = child.told.filter(({ event }) => event === 'settled')
      expect(settled).toMatchObject([
        { job: 'work', outcome: 'cancelled' },
        { job: 'stubborn', outcome: 'cancelled' },
      ])
      expect(child.find('ignored-abort')).toMatchObject({ job: 'stubborn' })
      expect(child.told).toSatisfy(() =>
        inOrder(child.told, 'drain', 'ignored-abort', 'stop', 'closed', 'exit'),
      )
    })
  })
}
