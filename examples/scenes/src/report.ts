import { rename, writeFile } from 'node:fs/promises'
import { readOrders } from './orders.ts'

export interface Report {
  day: string
  orders: number
  /** In cents. */
  revenue: number
  products: { product: string; quantity: number; revenue: number }[]
}

/** Sums up the orders of a day (UTC), best-selling product first, and writes the report as JSON. */
export async function buildReport(orders: string, file: string, day: Date): Promise<Report> {
  const date = day.toISOString().slice(0, 10)
  const products = new Map<string, { product: string; quantity: number; revenue: number }>()
  const report: Report = { day: date, orders: 0, revenue: 0, products: [] }
  for (const { product, quantity, price, placedAt } of await readOrders(orders)) {
    if (!placedAt.startsWith(date)) continue
    const entry = products.get(product) ?? { product, quantity: 0, revenue: 0 }
    entry.quantity += quantity
    entry.revenue += quantity * price
    products.set(product, entry)
    report.orders++
    report.revenue += quantity * price
  }
  report.products = [...products.values()].sort((a, b) => b.revenue - a.revenue)
  // Another instance may be reading it.
  await writeFile(`${file}.${process.pid}`, JSON.stringify(report, null, 2))
  await rename(`${file}.${process.pid}`, file)
  return report
}
