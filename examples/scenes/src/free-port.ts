import { createServer } from 'node:net'

/** The wanted port, or any free one if another instance of the example has it. */
export function freePort(wanted: number): Promise<number> {
  const probe = createServer()
  return new Promise((resolve, reject) => {
    probe.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(0) : reject(error),
    )
    probe.listen(wanted, () => probe.close(() => resolve(wanted)))
  })
}
