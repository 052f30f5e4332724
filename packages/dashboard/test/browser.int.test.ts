/** What people do on the page, in a browser, with a real scheduler behind it. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { launch, missing, open, until } from './browser.ts'
import { type FleetOptions, type TestFleet, testFleet } from './fleet.ts'
import { serve } from './serve.ts'

describe.skipIf(missing)('in a browser', () => {
  let browser: Browser
  let fleet: TestFleet
  let server: Awaited<ReturnType<typeof serve>>
  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser?.close())
  beforeEach(() => begin())
  afterEach(end)

  async function begin(options?: FleetOptions, port?: number) {
    fleet = await testFleet(options)
    server = await serve(fleet.page, port)
  }
  async function end() {
    await server.close()
    await fleet.scheduler.stop({ grace: 1 })
  }
  const show = (path: string) => open(browser, `${server.url}#/${path}`)

  test('keys alone lead to a paused job', async () => {
    const { page } = await show('')
    await page.waitForSelector('main h1')
    await page.keyboard.press('g')
    await page.keyboard.press('j')
    await page.waitForSelector('.list.jobs a.job')
    await page.keyboard.press('/')
    // Its owner: a job that follows it names it, too.
    await page.keyboard.type('finance')
    await until(page, 'document.querySelectorAll(".list.jobs a.job").length === 1')
    await tabTo(page, 'Pause')
    await page.keyboard.press('Enter')
    await page.waitForSelector('dialog[open] input')
    await page.focus('dialog input')
    await page.keyboard.type('a look at the numbers')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.list.jobs .badge.o-paused')
    const paused = fleet.scheduler.get('invoices').paused
    expect(paused).toMatchObject({ by: 'ann', reason: 'a look at the numbers' })
    expect(Math.abs((paused?.until?.getTime() ?? 0) - Date.now() - 3_600_000)).toBeLessThan(60_000)
    await page.close()
  })

  test('a run is asked for by the form of its schema', async () => {
    const { page, problems } = await show('jobs/export')
    await page.click('text=Run now')
    await page.selectOption('dialog select', 'json')
    await page.fill('dialog input[type=number]', '5')
    await page.check('dialog input[type=checkbox]')
    await page.fill('dialog form > label input', 'for the audit')
    await page.click('dialog button[type=submit]')
    await expect
      .poll(() => fleet.scheduler.history({ job: 'export' }), { message: 'the run has ended' })
      .toMatchObject([
        {
          outcome: 'succeeded',
          data: { format: 'json', limit: 5, dryRun: true },
          asked: { reason: 'for the audit' },
        },
      ])
    expect(problems).toEqual([])
    await page.close()
  })

  test('a failed run shows the causes of its error, once for attempts that failed alike', async () => {
    const { page } = await show(`runs/${fleet.runs['exchange-rates']}`)
    await page.waitForSelector('.errors')
    const text = (await page.textContent('.errors')) ?? ''
    expect(text).toMatch(/Attempts 1–2 Error.*no rates.*Caused by Error ECONNREFUSED.*connect ECONNREFUSED/s)
    expect(text.match(/no rates/g)?.length).toBeLessThanOrEqual(2)
    await page.close()
  })

  test('a run that is run again, and one that another job follows, link to each other', async () => {
    const { page } = await show(`runs/${fleet.runs.invoices}`)
    await page.click('.facts a:has-text("dunning")')
    await page.waitForSelector('h1:has-text("dunning")')
    await page.goBack()
    await page.click('text=Run again')
    await page.click('.facts a:has-text("invoices")')
    await until(page, `!location.hash.includes('${fleet.runs.invoices}')`)
    expect(await page.textContent('.facts')).toContain('Again of')
    await page.close()
  })

  test('all jobs are paused and resumed', async () => {
    const { page } = await show('')
    await page.click('text=Pause all jobs')
    await page.click('dialog >> text=For 1 hour')
    await page.waitForSelector('text=All jobs are paused')
    expect(fleet.scheduler.paused).toMatchObject({ by: 'ann' })
    await page.click('text=Resume all jobs')
    await page.waitForSelector('text=Pause all jobs')
    expect(fleet.scheduler.paused).toBeUndefined()
    await page.close()
  })

  test('says since when it has no news, and shows the new when the server is back', async () => {
    const { page } = await show('')
    await page.waitForSelector('.stream.live')
    await end()
    await page.waitForSelector('.lost')
    expect(await page.textContent('.lost')).toMatch(/as of \d\d:\d\d:\d\d/)
    await begin({ jobs: 3 }, server.port)
    await page.waitForSelector('.stream.live', { timeout: 20_000 })
    expect(await page.$('.lost')).toBeNull()
    await page.waitForSelector('text=job-2')
    await page.close()
  })

  test('a viewer sees no buttons that act, and what the page cannot know', async () => {
    await end()
    await begin({ role: 'viewer' })
    const { page } = await show('jobs')
    await page.waitForSelector('.list.jobs a.job')
    const notes = await page.$$eval('.note', (all) => all.map((each) => each.textContent))
    expect(notes).toEqual(['One process', 'Not durable', 'Read-only'])
    expect(await page.$$('.list.jobs button')).toEqual([])
    await page.close()
  })

  test('a thousand jobs are there at once', async () => {
    await end()
    await begin({ jobs: 1_000 })
    const { page, problems } = await show('')
    await page.waitForSelector('.timeline canvas')
    expect(await page.$$eval('.chart .lanes a', (all) => all.length)).toBeLessThan(30)
    expect(problems).toEqual([])
    await page.close()
  })
})

/** Moves the focus to the button of this text, by the key alone. */
async function tabTo(page: Page, text: string): Promise<void> {
  for (let i = 0; i < 20; i++) {
    await page.keyboard.press('Tab')
    if (await page.evaluate(`document.activeElement.textContent === ${JSON.stringify(text)}`)) return
  }
  throw new Error(`no button ${text} within 20 tabs`)
}
