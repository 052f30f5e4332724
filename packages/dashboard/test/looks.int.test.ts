/** Every page of a real scheduler in a browser: both languages, both themes, three widths. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inspect, launch, missing, open, until } from './browser.ts'
import { MARKUP, type TestFleet, testFleet } from './fleet.ts'
import { serve } from './serve.ts'

const looks = (['light', 'dark'] as const).flatMap((colorScheme) =>
  ['en', 'zh-CN'].flatMap((locale) => [390, 900, 1920].map((width) => ({ colorScheme, locale, width }))),
)

describe.skipIf(missing)('in a browser', () => {
  let browser: Browser
  let fleet: TestFleet
  let server: Awaited<ReturnType<typeof serve>>
  beforeAll(async () => {
    browser = await launch()
    fleet = await testFleet()
    server = await serve(fleet.page)
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
    await fleet?.scheduler.stop({ grace: 1 })
  })

  const pages = () => [
    '',
    'jobs',
    'jobs/exchange-rates',
    'jobs/invoices',
    `jobs/${encodeURIComponent(MARKUP)}`,
    'runs',
    ...Object.values(fleet.runs).map((id) => `runs/${id}`),
    'incidents',
    'instances',
    'audit',
  ]

  test.each(looks)(
    'every page, $colorScheme, $locale, $width wide',
    async ({ colorScheme, locale, width }) => {
      const { page, problems } = await open(browser, server.url, {
        locale,
        colorScheme,
        viewport: { width, height: 900 },
      })
      for (const path of pages()) {
        await page.goto(`${server.url}#/${path}`)
        await page.waitForSelector('main h1')
        await until(page, '!document.querySelector("main [aria-busy]")')
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
        expect({ path, overflow }).toEqual({ path, overflow: 0 })
        // The same rules hold at each width: what is hidden and shown is looked at on the narrow and the middle one.
        if (width < 1000 && (locale === 'en') === width > 500)
          expect({ path, found: await inspect(page) }).toEqual({ path, found: [] })
      }
      expect(problems).toEqual([])
      await page.close()
    },
  )

  test('what is hostile is shown as text', async () => {
    const { page, problems } = await open(browser, server.url)
    const name = encodeURIComponent(MARKUP)
    for (const path of ['', 'jobs', `jobs/${name}`, 'runs', `runs/${fleet.runs[MARKUP]}`, 'audit']) {
      await page.goto(`${server.url}#/${path}`)
      await until(page, `document.querySelector('main').textContent.includes(${JSON.stringify(MARKUP)})`)
      const text = (await page.textContent('main')) ?? ''
      expect(['\u001b', '\u202e'].filter((mark) => text.includes(mark))).toEqual([])
      expect(await page.evaluate('document.querySelectorAll("main img, main script").length')).toBe(0)
    }
    expect(await page.title()).toBe('Escapement')
    expect(problems).toEqual([])
    await page.close()
  })
})
