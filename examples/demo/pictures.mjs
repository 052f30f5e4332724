// npm run pictures: the pictures of the page in the docs, of the demo, by Chromium.

import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { chromium } from 'playwright-core'
import { build, root } from '../../scripts/setup.mjs'

const SIZE = { width: 1280, height: 860 }
const folder = join(root, 'docs/pictures')

build()
const demo = spawn(process.execPath, [join(root, 'examples/demo/dist/main.js')], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
})
try {
  const link = await linkOf(demo)
  mkdirSync(folder, { recursive: true })
  for (const theme of ['light', 'dark']) await picturesIn(theme, link)
} finally {
  await browser.close()
  demo.kill()
}

/** The link that the demo prints. */
async function linkOf(child) {
  for await (const line of createInterface({ input: child.stdout })) {
    const link = /http:\S+/.exec(line)
    if (link) return link[0]
  }
  throw new Error('the demo has ended without a link')
}

async function picturesIn(colorScheme, link) {
  const page = await browser.newPage({
    viewport: SIZE,
    colorScheme,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
  })
  await page.goto(link)
  const runs = await page.evaluate(() =>
    fetch('api/v1/runs?job=sync-crm&outcome=failed&limit=1').then((it) => it.json()),
  )
  const places = {
    overview: '#/',
    job: '#/jobs/nightly-backup',
    run: `#/runs/${runs.items[0].id}`,
  }
  for (const [name, hash] of Object.entries(places)) {
    await page.goto(new URL(hash, link).href)
    await page.waitForSelector('main h1')
    await page.waitForFunction('!document.querySelector("main [aria-busy]")').catch(() => {})
    // A stack names folders of this machine.
    await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = false')
    await page.waitForTimeout(600)
    await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) })
  }
  await page.close()
}
