/** The page in a browser: every page, both languages, both themes, three widths; hostile content; a server that goes away. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { servePage } from '../src/index.ts'
import { safe } from '../src/page/safe-text.ts'
import { fakeApi } from './fake-api.ts'
import { HOSTILE } from './fake-fleet.ts'
import { serve } from './serve.ts'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const missing = !existsSync(executablePath)
if (missing) {
  console.warn(
    `the page is not looked at: there is no Chromium at ${executablePath}; set CHROMIUM to its path`,
  )
}
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8')

const PAGES = [
  '',
  'jobs',
  'jobs/exchange-rates',
  'runs',
  'runs/RUN',
  'runs/UNDER',
  'incidents',
  'instances',
  'audit',
  'jobs/unknown',
]
const looks = (['light', 'dark'] as const).flatMap((colorScheme) =>
  [390, 900, 1920].map((width) => ({ colorScheme, width })),
)

describe.skipIf(missing)('in a browser', () => {
  let browser: Browser
  let server: Awaited<ReturnType<typeof serve>>
  const api = fakeApi()
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
    server = await serve(servePage(api.handler))
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
  })

  /** A page that keeps what its console and the network said. */
  async function open(url: string, options: Parameters<Browser['newPage']>[0] = {}) {
    const page = await browser.newPage({ locale: 'en', ...options })
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text())
    })
    page.on('request', (request) => {
      if (!request.url().startsWith(url)) problems.push(`asked for ${request.url()}`)
    })
    await page.goto(url)
    return { page, problems }
  }

  async function idOf(query: string): Promise<string> {
    const response = await fetch(`${server.url}api/v1/runs?${query}`)
    const { items } = (await response.json()) as { items: { id: string }[] }
    return items[0]?.id ?? ''
  }

  test.each(looks)(
    'every page, $colorScheme, $width wide, in English and Chinese',
    async ({ colorScheme, width }) => {
      const run = await idOf('outcome=failed')
      const under = await idOf('state=running')
      for (const locale of ['en', 'zh-CN']) {
        const viewport = { width, height: 900 }
        const { page, problems } = await open(server.url, { locale, colorScheme, viewport })
        for (const each of PAGES) {
          const path = each.replace('RUN', run).replace('UNDER', under)
          await page.goto(`${server.url}#/${path}`)
          await page.waitForSelector('main h1, main [role=alert]')
          await until(page, '!document.querySelector("main [aria-busy]")')
          const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
          expect({ path, overflow }).toEqual({ path, overflow: 0 })
          expect({ path, found: await inspect(page) }).toEqual({ path, found: [] })
        }
        expect(problems.filter((each) => !each.includes('404'))).toEqual([])
        await page.close()
      }
    },
    120_000,
  )

  test('what is hostile is shown as text', async () => {
    const hostile = await serve(servePage(fakeApi({ hostile: true }).handler))
    const { page, problems } = await open(hostile.url)
    const shown = safe(HOSTILE)
    for (const path of ['', 'jobs', `jobs/${encodeURIComponent(HOSTILE)}`, 'runs', 'incidents']) {
      await page.goto(`${hostile.url}#/${path}`)
      await until(page, 'document.querySelector("main h1")')
      const text = JSON.stringify(path === 'incidents' ? shown.slice(0, 40) : shown)
      await until(page, `document.querySelector('main').textContent.includes(${text})`)
      expect(await page.evaluate('document.querySelectorAll("main img, main script").length')).toBe(0)
    }
    expect(await page.title()).toBe('Escapement')
    expect(problems).toEqual([])
    await page.close()
    await hostile.close()
  })

  test('keys alone lead to a paused job', async () => {
    const { page } = await open(`${server.url}#/`)
    await page.waitForSelector('main h1')
    await page.keyboard.press('g')
    await page.keyboard.press('j')
    await page.waitForSelector('.list.jobs a.job')
    await page.keyboard.press('/')
    await page.keyboard.type('invoices')
    await until(page, 'document.querySelectorAll(".list.jobs a.job").length === 1')
    for (let i = 0; i < 20; i++) {
      await page.keyboard.press('Tab')
      if (await page.evaluate('document.activeElement.textContent === "Pause"')) break
    }
    await page.keyboard.press('Enter')
    await page.waitForSelector('dialog[open] input')
    await page.focus('dialog input')
    await page.keyboard.type('a look at the numbers')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.list.jobs .badge.o-paused')
    const asked = api.acts.at(-1)
    expect(asked).toMatchObject({ method: 'POST', path: 'jobs/invoices/pause' })
    expect(asked?.body).toMatchObject({ reason: 'a look at the numbers' })
    const body = asked?.body as { until: string } | undefined
    expect(Math.abs(Date.parse(body?.until ?? '') - Date.now() - 3_600_000)).toBeLessThan(60_000)
    await page.close()
  })

  test('says since when it has no news, and recovers when the server is back', async () => {
    const first = await serve(servePage(fakeApi().handler))
    const { page } = await open(first.url)
    await page.waitForSelector('.stream.live')
    await first.close()
    await page.waitForSelector('.lost')
    expect(await page.textContent('.lost')).toMatch(/as of \d\d:\d\d:\d\d/)
    const again = await serve(servePage(fakeApi().handler), first.port)
    await page.waitForSelector('.stream.live', { timeout: 20_000 })
    expect(await page.$('.lost')).toBeNull()
    await page.close()
    await again.close()
  })

  test('a viewer sees no buttons that act, and what the page cannot know', async () => {
    const viewers = await serve(servePage(fakeApi({ role: 'viewer' }).handler))
    const { page } = await open(`${viewers.url}#/jobs`)
    await page.waitForSelector('.list.jobs a.job')
    const notes = await page.$$eval('.note', (all) => all.map((each) => each.textContent))
    expect(notes).toEqual(['One process', 'Not durable', 'Read-only'])
    expect(await page.$$('.list.jobs button')).toEqual([])
    await page.close()
    await viewers.close()
  })

  test('a thousand jobs are there at once', async () => {
    const many = await serve(servePage(fakeApi({ jobs: 1_000 }).handler))
    const { page, problems } = await open(many.url)
    await page.waitForSelector('.timeline canvas')
    expect(await page.$$eval('.chart .lanes a', (all) => all.length)).toBeLessThan(30)
    expect(problems).toEqual([])
    await page.close()
    await many.close()
  })
})

/** Waits until an expression is true in the page: its policy lets no test evaluate there by itself. */
async function until(page: Page, expression: string): Promise<void> {
  await expect
    .poll(() => page.evaluate(`Boolean(${expression})`), { message: expression, timeout: 15_000 })
    .toBe(true)
}

/** What axe finds that is serious, one line each. */
async function inspect(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  return page.evaluate<string[]>(`axe.run(document).then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes: [node] }) => id + ': ' + node.html.slice(0, 160) + ' ' + node.failureSummary.slice(0, 240)))`)
}
