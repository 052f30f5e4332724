import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
/** There is no browser here. */
export const missing = !existsSync(executablePath)
if (missing) {
  console.warn(
    `the page is not looked at: there is no Chromium at ${executablePath}; set CHROMIUM to its path`,
  )
}
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8')

export const launch = () => chromium.launch({ executablePath, args: ['--no-sandbox'] })

/** A page that keeps what its console and the network said: its policy is told there, too. */
export async function open(
  browser: Browser,
  url: string,
  options: Parameters<Browser['newPage']>[0] = {},
): Promise<{ page: Page; problems: string[] }> {
  const page = await browser.newPage({ locale: 'en', timezoneId: 'Europe/Berlin', ...options })
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text())
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(url.split('#')[0] ?? url)) problems.push(`asked for ${request.url()}`)
  })
  await page.goto(url)
  return { page, problems }
}

/** Waits until an expression is true in the page: its policy lets no test evaluate there by itself. */
export async function until(page: Page, expression: string): Promise<void> {
  await expect
    .poll(() => page.evaluate(`Boolean(${expression})`), { message: expression, timeout: 15_000 })
    .toBe(true)
}

/** What axe finds that is serious, one line each. */
export async function inspect(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  return page.evaluate<string[]>(`axe.run(document).then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes: [node] }) => id + ': ' + node.html.slice(0, 160) + ' ' + node.failureSummary.slice(0, 240)))`)
}
