/** The mails in a browser: on a phone and a desktop, light and dark. */
import { existsSync, readFileSync } from 'node:fs'
import { describe as inWords } from '@escapement/alerts'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { html } from '../src/html.ts'
import { samples } from './samples.ts'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const inspect = readFileSync(new URL('./look.page.js', import.meta.url), 'utf8')
const missing = !existsSync(executablePath)
if (missing) {
  console.warn(
    `mails are not looked at: there is no Chromium at ${executablePath}; set CHROMIUM to where it is`,
  )
}

const looks = Object.keys(samples).flatMap((sample) =>
  (['light', 'dark'] as const).flatMap((colorScheme) =>
    [360, 900].map((width) => ({ sample, colorScheme, width })),
  ),
)

describe.skipIf(missing)('rendered', () => {
  let browser: Browser
  let page: Page
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
    page = await browser.newPage()
  })
  afterAll(() => browser?.close())

  test.each(looks)(
    '$sample, $colorScheme, $width wide: fits, can be read, asks for nothing',
    async ({ sample, colorScheme, width }) => {
      const message = samples[sample] as NonNullable<(typeof samples)[string]>
      await page.setViewportSize({ width, height: 800 })
      await page.emulateMedia({ colorScheme })
      const asked: string[] = []
      page.removeAllListeners('request').on('request', (request) => asked.push(request.url()))
      await page.setContent(html(message, inWords(message, { app: 'shop' }), 'quoted-printable'))
      const { overflow, faint } = await page.evaluate<{ overflow: number; faint: string[] }>(inspect)
      expect(overflow).toBeLessThanOrEqual(0)
      expect(faint).toEqual([])
      expect(asked).toEqual([])
    },
  )
})
