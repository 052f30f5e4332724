import { type Duration, EscapementError, parseDuration } from '@escapement/core'
import { checkKeys, fail, integer, oneOf, text } from '@escapement/core/plugin'
import { type Locale, words } from '../message/locales.ts'
import type { Rate } from './http.ts'

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
  /** The number of messages to this address at most. Default: what the vendor allows. */
  rate?: { messages: number; per: Duration }
}

const KNOWN = { url: 1, name: 1, app: 1, locale: 1, rate: 1 } satisfies Record<keyof WebhookChannelOptions, 1>

/**
 * @param own Options that only this channel has, as keys.
 * @throws ERR_ESCAPEMENT_OPTION
 */
export function common(
  options: WebhookChannelOptions,
  defaults: { name: string; locale: Locale; rate: Rate },
  own: Readonly<Record<string, 1>> = {},
): { name: string; app: string; locale: Locale; url: string; rate: Rate } {
  const kind = defaults.name
  checkKeys(options, { ...KNOWN, ...own }, `${kind}() option`)
  const { name = kind, app = 'Escapement', locale = defaults.locale, url } = options
  checkUrl(url, `${kind}: url`)
  text(`${kind}: app`, app)
  if (text(`${kind}: name`, name) === '') fail(`${kind}: name`, 'a text that is not empty', name)
  oneOf(`${kind}: locale`, locale, Object.keys(words) as Locale[])
  return { name, app, locale, url, rate: options.rate === undefined ? defaults.rate : rateOf(options.rate) }
}

function rateOf(given: NonNullable<WebhookChannelOptions['rate']>): Rate {
  checkKeys(given, { messages: 1, per: 1 }, 'rate option')
  return {
    messages: integer('rate.messages', given.messages, 1),
    per: parseDuration(given.per, 'rate.per', { min: 1 }),
  }
}

/** The message never shows the address: it may hold a key. */
export function checkUrl(url: unknown, option: string): asserts url is string {
  const protocol = typeof url === 'string' && URL.canParse(url) ? new URL(url).protocol : undefined
  if (protocol !== 'https:' && protocol !== 'http:')
    throw new EscapementError('ERR_ESCAPEMENT_OPTION', `${option} must be an http(s) address`)
}

/** An empty secret would send unsigned. The message never shows what was given. */
export function checkSecret(kind: string, secret: unknown): void {
  if (secret === undefined || (typeof secret === 'string' && secret !== '')) return
  throw new EscapementError('ERR_ESCAPEMENT_OPTION', `${kind}: secret must be a text that is not empty`)
}
