import { language } from '../settings.ts'
import { en, type Key } from './en.ts'
import { zh } from './zh.ts'

export type { Key } from './en.ts'

/** A text in the reader's language, with `{name}` filled in. */
export function t(key: Key, values: Readonly<Record<string, string | number>> = {}): string {
  const text: string = language.value === 'zh' ? zh[key] : en[key]
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
}

/** A text whose key is made of what the API gives: itself when no language has it. */
export function word(room: 'outcome' | 'cause' | 'reason' | 'audit' | 'event' | 'on', name: string): string {
  const key = `${room}.${name}`
  return key in en ? t(key as Key) : name
}

export const number = (value: number): string =>
  new Intl.NumberFormat(language.value === 'zh' ? 'zh-CN' : 'en').format(value)
