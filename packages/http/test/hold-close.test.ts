import { once } from 'node:events'
import http from 'node:http'
import { expect, it } from 'vitest'
import { holdClose } from '../src/hold-close.ts'

const listen = async () => {
  const server = http.createServer((_, res) => res.end('ok')).listen(0)
  await once(server, 'listening')
  return server
}
/** A promise, and its end. */
const gate = () => {
  let open = () => {}
  const promise = new Promise<void>((resolve) => {
    open = resolve
  })
  return { promise, open }
}
const turns = async (count = 5) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

it("holds 'close' until the promise settles, for callbacks and listeners", async () => {
  const server = await listen()
  const drained = gate()
  holdClose(server, () => drained.promise)
  const told: string[] = []
  server.close(() => told.push('callback'))
  server.once('close', () => told.push('listener'))
  await turns()
  expect(server.listening).toBe(false)
  expect(told).toEqual([])
  drained.open()
  await turns()
  expect(told).toEqual(['callback', 'listener'])
  expect(Object.hasOwn(server, 'emit')).toBe(false)
})

it('is not held by a promise that rejects', async () => {
  const server = await listen()
  holdClose(server, () => Promise.reject(new Error('no')))
  server.close()
  await once(server, 'close')
})

it('waits for all who asked, wraps once, and forgets those who left', async () => {
  const server = await listen()
  const [first, second] = [gate(), gate()]
  holdClose(server, () => first.promise)
  const { close } = server
  holdClose(server, () => second.promise)
  expect(server.close).toBe(close)
  const leave = holdClose(server, () => new Promise<void>(() => {}))
  leave()
  let closed = false
  server.close(() => {
    closed = true
  })
  first.open()
  await turns()
  expect(closed).toBe(false)
  second.open()
  await turns()
  expect(closed).toBe(true)
})

it('keeps what others have put over emit in between', async () => {
  const server = await listen()
  const drained = gate()
  holdClose(server, () => drained.promise)
  server.close()
  const told: unknown[] = []
  const { emit } = server
  server.emit = (event: string, ...args: unknown[]) => {
    told.push(event)
    return (emit as (...all: unknown[]) => boolean).call(server, event, ...args)
  }
  await turns()
  drained.open()
  await turns()
  expect(told).toEqual(['close', 'close'])
})

it('tells of a close that was not seen, but not of an old one', async () => {
  const server = await listen()
  let asked = 0
  holdClose(server, () => {
    asked++
    return undefined
  })
  http.Server.prototype.close.call(server)
  await once(server, 'close')
  expect(asked).toBe(1)
  server.listen(0)
  await once(server, 'listening')
  server.emit('close')
  expect(asked).toBe(1)
  server.close()
  expect(asked).toBe(2)
  await once(server, 'close')
})

it('leaves close() of a server that does not listen to Node', async () => {
  const server = await listen()
  let asked = 0
  holdClose(server, () => {
    asked++
    return Promise.resolve()
  })
  await new Promise((resolve) => server.close(resolve))
  expect(asked).toBe(2) // at the call, and at the event: the binding answers once
  const error = await new Promise((resolve) => server.close(resolve))
  expect(error).toMatchObject({ code: 'ERR_SERVER_NOT_RUNNING' })
})
