import { readFile } from 'node:fs/promises'
import type { Transporter } from 'nodemailer'
import { buildReport, type Report } from './report.ts'

/**
 * Mails the report of the day to each recipient; makes it if there is none yet. Throws when no order is there yet.
 * Returns how many mails were taken.
 */
export async function sendNotices(
  { orders, report: file, transport }: { orders: string; report: string; transport: Transporter },
  day: Date,
  to: string[],
): Promise<number> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  const made = text === undefined ? undefined : (JSON.parse(text) as Report)
  const report = made && made.orders > 0 ? made : await buildReport(orders, file, day)
  if (report.orders === 0) throw new Error(`no order of ${report.day} has been pulled yet`)
  const best = report.products[0]?.product ?? 'nothing'
  for (const recipient of to) {
    await transport.sendMail({
      from: 'Shop <shop@example.com>',
      to: recipient,
      subject: `Sales of ${report.day}: ${(report.revenue / 100).toFixed(2)}`,
      text: `${report.orders} orders today. Best-selling: ${best}.`,
    })
  }
  return to.length
}
