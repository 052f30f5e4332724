import { type Duration, EscapementError, parseDuration } from '@escapement/core'
import type { Rate } from '../http.ts'
import { type Locale, words } from '../words.ts'

/** What all webhook channels take. */
export interface WebhookChannelOptions {
  /** The webhook's address. It is a secret: it is shown nowhere. */
  url: string
  /** The channel's name, for rules. Default: the kind of channel. */
  name?: string
  /** The name of the app, in the head of messages. Default `Escapement`. */
  app?: string
  /** Default `'en'`; for DingTalk, WeCom and Feishu `'zh'`. */
  locale?: Locale
  /** At most so many messages to this address. Default: what the vendor allows. */
  rate?: { messages: number; per: Duration }
}

/** @throws ERR_ESCAPEMENT_OPTION */
export function common(
  options: WebhookChannelOptions,
  defaults: { name: string; locale: Locale; rate: Rate },
): { name: string; app: string; locale: Locale; url: string; rate: Rate } {
  const { name = defaults.name, app = 'Escapement', locale = defaults.locale, url } = options
  checkUrl(url, `${defaults.name}: url`)
  if (!Object.hasOwn(words, locale))
    throw bad(`${defaults.name}: locale must be ${Object.keys(words).join(' or ')}`)
  const rate = options.rate
    ? { messages: options.rate.messages, per: parseDuration(options.rate.per, 'rate.per', { min: 1 }) }
    : defaults.rate
  if (!Number.isSafeInteger(rate.messages) || rate.messages < 1)
    throw bad('rate.messages must be a whole number of at least 1')
  return { name, app, locale, url, rate }
}

/** The message never shows the address: it may hold a key. */
export function checkUrl(url: unknown, option: string): asserts url is string {
  const protocol = typeof url === 'string' && URL.canParse(url) ? new URL(url).protocol : undefined
  if (protocol !== 'https:' && protocol !== 'http:') throw bad(`${option} must be an http(s) address`)
}

export function bad(message: string): EscapementError {
  return new EscapementError('ERR_ESCAPEMENT_OPTION', message)
}
