import { AsyncLocalStorage } from 'node:async_hooks'

const request = new AsyncLocalStorage()

/** Routes whose handlers ask for runs. The same for both frameworks. */
export function asks(app, route) {
  const post = (path, handle) => app.post(path, route(handle))
  post('/run', async (scheduler) => {
    const data = { ms: 10 }
    let ended = false
    const run = await scheduler.run('work', data)
    data.ms = 99
    const settled = run.settled.then((record) => {
      ended = true
      return record
    })
    const early = !ended
    const record = await settled
    return { id: run.id, early, cloned: record.data.ms === 10, outcome: record.outcome }
  })
  // What must not be given to a run: each is refused with a coded error.
  post('/run-with-request', async (scheduler, things) => {
    const codes = {}
    for (const [name, thing] of Object.entries(things)) {
      codes[name] = await scheduler.run('work', { ms: 10, [name]: thing }).then(
        () => 'accepted',
        (error) => error.code,
      )
    }
    return codes
  })
  post('/context', async (scheduler) => {
    scheduler.job('context', { next: () => undefined }, () => request.getStore() ?? 'none')
    const run = await request.run('of the request', () => scheduler.run('context', undefined, { wait: true }))
    return { result: run.result }
  })
  // A run that keeps the response beyond its request.
  post('/outlive', async (scheduler, { res, ctx }) => {
    scheduler.job('outlive', { next: () => undefined }, async () => {
      if (!res.writableEnded) await new Promise((resolve) => res.on('close', resolve))
      try {
        if (ctx) ctx.body = 'too late'
        else res.setHeader('x-late', '1')
      } catch {
        // Node refuses: the headers are sent.
      }
    })
    await scheduler.run('outlive')
    return { ok: true }
  })
}
