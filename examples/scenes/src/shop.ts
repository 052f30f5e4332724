import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Order } from './orders.ts'

const PRODUCTS = ['clock', 'spring', 'gear', 'pendulum', 'dial']

export interface Shop {
  url: string
  close(): void
}

/**
 * A shop whose API gives new orders all the time. Now and then it is busy (503), and from `outage.from` to
 * `outage.to` (ms after its start) it is down: what retries and alerts are for.
 */
export async function openShop(outage: { from: number; to: number }): Promise<Shop> {
  const opened = Date.now()
  const orders: Order[] = []
  let requests = 0
  const server = createServer((req, res) => {
    const age = Date.now() - opened
    const down = age >= outage.from && age < outage.to
    if (down || ++requests % 5 === 2) {
      res.writeHead(503).end()
      return
    }
    // About ten orders a second have been placed since the last request.
    while (orders.length < age / 100) {
      const id = orders.length + 1
      const product = PRODUCTS[(id * 7) % PRODUCTS.length] as string
      const placedAt = new Date(opened + id * 100).toISOString()
      orders.push({ id, product, quantity: 1 + (id % 3), price: 500 + ((id * 37) % 90) * 10, placedAt })
    }
    const after = Number(new URL(req.url ?? '/', 'http://shop').searchParams.get('after'))
    res.setHeader('content-type', 'application/json').end(JSON.stringify(orders.slice(after, after + 50)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
