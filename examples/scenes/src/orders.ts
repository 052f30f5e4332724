import { appendFile, readFile } from 'node:fs/promises'

/** One order, as the shop's API gives it. */
export interface Order {
  id: number
  product: string
  quantity: number
  /** In cents. */
  price: number
  placedAt: string
}

/** Reads a file with an order a line. */
export async function readOrders(file: string): Promise<Order[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Order)
}

/** A page of the orders that came after one, none when there is no other. */
async function orders(api: string, after: number, signal: AbortSignal): Promise<Order[]> {
  const response = await fetch(`${api}/orders?after=${after}`, { signal })
  if (!response.ok) throw new Error(`the shop's API answered ${response.status}`)
  return (await response.json()) as Order[]
}

/** Pulls the orders that came after the last stored one, page by page, and stores them. Returns how many. */
export async function pullOrders(api: string, file: string, signal: AbortSignal): Promise<number> {
  let last = (await readOrders(file)).at(-1)?.id ?? 0
  let pulled = 0
  for (let page = await orders(api, last, signal); page.length > 0; page = await orders(api, last, signal)) {
    await appendFile(file, page.map((order) => `${JSON.stringify(order)}\n`).join(''))
    last = page.at(-1)?.id ?? last
    pulled += page.length
  }
  return pulled
}
