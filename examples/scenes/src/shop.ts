import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Order } from './orders.ts'

const PRODUCTS = ['clock', 'spring', 'gear', 'pendulum', 'dial']

export interface Shop {
  url: string
  close(): void
}

/** An order is placed every so many ms; those of the last minute can be asked for. */
const PERIOD = 100
const KEPT = 600

/**
 * A shop whose API gives new orders all the time: the same ones in each instance, as they follow from the clock. Now
 * and then it is busy (503), and from `outage.from` to `outage.to` (ms after its start) it is down: what retries and
 * alerts are for.
 */
export async function openShop(outage: { from: number; to: number }): Promise<Shop> {
  const opened = Date.now()
  let requests = 0
  const server = createServer((req, res) => {
    const age = Date.now() - opened
    const down = age >= outage.from && age < outage.to
    if (down || ++requests % 5 === 2) {
      res.writeHead(503).end()
      return
    }
    const after = Number(new URL(req.url ?? '/', 'http://shop').searchParams.get('after'))
    res.setHeader('content-type', 'application/json').end(JSON.stringify(ordersAfter(after)))
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

function ordersAfter(after: number): Order[] {
  const newest = Math.floor(Date.now() / PERIOD)
  const first = Math.max(after, newest - KEPT) + 1
  return Array.from({ length: Math.min(newest - first + 1, 50) }, (_, i) => order(first + i))
}

function order(id: number): Order {
  const product = PRODUCTS[(id * 7) % PRODUCTS.length] as string
  const placedAt = new Date(id * PERIOD).toISOString()
  return { id, product, quantity: 1 + (id % 3), price: 500 + ((id * 37) % 90) * 10, placedAt }
}
