import { readFile } from 'node:fs/promises'
import type { Transporter } from 'nodemailer'
import type { Report } from './report.ts'

/** Mails the report to each recipient. Returns how many mails were taken. */
export async function sendNotices(file: string, to: string[], transport: Transporter): Promise<number> {
  const report = JSON.parse(await readFile(file, 'utf8')) as Report
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
