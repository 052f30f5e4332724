export default async (run) => {
  run.log.info({ step: run.data.kind }, 'in a thread')
  if (run.data.kind === 'sum') {
    run.progress(0.5, 'half')
    let sum = 0
    for (let i = 0; i < 1e6; i++) sum += i
    return { sum, tick: run.tick.id, attempt: run.attempt }
  }
  if (run.data.kind === 'throw') throw new RangeError('from the thread')
  if (run.data.kind === 'polite') {
    await new Promise((resolve) => run.signal.addEventListener('abort', resolve))
    run.log.info('left politely')
    return
  }
  // Spins: nothing but the end of the thread can stop it.
  for (;;);
}
