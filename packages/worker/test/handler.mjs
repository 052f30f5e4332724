export default async (run) => {
  run.log.info({ step: run.data.kind }, 'in a thread')
  if (run.data.kind === 'sum') {
    run.progress(0.5, 'half')
    let sum = 0
    for (let i = 0; i < 1e6; i++) sum += i
    return { sum, tick: run.tick.id, attempt: run.attempt }
  }
  if (run.data.kind === 'throw') throw new RangeError('from the thread')
  if (run.data.kind === 'hostile') {
    const circle = { big: 10n }
    circle.self = circle
    run.log.warn({ circle, fn: () => {}, symbol: Symbol('s'), proxy: new Proxy({}, {}) }, Symbol('odd'))
    run.log.warn(new Proxy({}, { ownKeys: () => run.nothing.here }), 'no keys')
    run.log.error(Object.assign(new Error('with a code'), { code: 'E_LINE' }))
    run.log.info(undefined)
    run.progress(0.1, { toString: () => run.nothing.here })
    return 'told'
  }
  if (run.data.kind === 'nan') run.progress(Number.NaN)
  if (run.data.kind === 'coded') {
    throw Object.assign(new Error('refused'), { name: 'HttpError', code: 'E_REFUSED', response: () => {} })
  }
  if (run.data.kind === 'causes') {
    class RefusedError extends Error {
      name = 'RefusedError'
      code = 'ECONNREFUSED'
    }
    const both = new AggregateError([new RefusedError('::1'), new RefusedError('127.0.0.1')], 'no address')
    const cause = Object.assign(new TypeError('fetch failed', { cause: both }), { code: 'E_FETCH' })
    throw new Error('no prices', { cause })
  }
  if (run.data.kind === 'circle') {
    const error = Object.assign(new Error('around'), { code: 'E_CIRCLE' })
    error.cause = error
    throw error
  }
  if (run.data.kind === 'text') throw 'only text'
  if (run.data.kind === 'proxy') throw new Proxy(new Error('hidden'), {})
  if (run.data.kind === 'function') throw () => {}
  if (run.data.kind === 'uncloneable') return () => {}
  if (run.data.kind === 'polite') {
    await new Promise((resolve) => run.signal.addEventListener('abort', resolve))
    run.log.info('left politely')
    return
  }
  // Spins: nothing but the end of the thread can stop it.
  for (;;);
}
