import { describe, expect, test } from 'vitest'
import { en } from '../src/page/i18n/en.ts'
import { zh } from '../src/page/i18n/zh.ts'
import { safe } from '../src/page/safe-text.ts'

describe('languages', () => {
  test('have the same keys', () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort())
  })

  test('fill in the same values', () => {
    const values = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort()
    for (const [key, text] of Object.entries(en)) {
      expect({ key, values: values(zh[key as keyof typeof en]) }).toEqual({ key, values: values(text) })
    }
  })
})

describe('text from outside', () => {
  test.each([
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b]8;;http://evil.test\u0007link\u001b]8;;\u0007', 'link'],
    ['a\u202eb', 'a\\u202eb'],
    ['a\u0000b', 'a\\u0000b'],
    ['two\r\nlines\tand a tab', 'two\nlines\tand a tab'],
    ['<b>名</b>', '<b>名</b>'],
  ])('%j is shown as %j', (text, shown) => {
    expect(safe(text)).toBe(shown)
  })
})
