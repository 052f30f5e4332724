import { fail } from '@escapement/core/plugin'
import { checkOptions } from './incident/settings.ts'
import { AlertsPlugin } from './plugin.ts'
import type { Alerts } from './types/alerts.ts'
import type { Channel } from './types/index.ts'
import type { AlertsOptions } from './types/options.ts'

/**
 * Reports what goes wrong with jobs to people: each incident once, its end too, and never a flood.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 *
 * @example
 * const scheduler = createScheduler({
 *   plugins: [
 *     alerts({
 *       channels: [email({ url: process.env.SMTP_URL, from: 'jobs@example.org', to: 'ops@example.org' })],
 *       rules: [{ match: { group: 'billing' }, severity: 'critical', groupWait: 0 }],
 *     }),
 *   ],
 * })
 */
export function alerts(options: AlertsOptions): Alerts {
  checkOptions(options)
  checkChannels(options.channels)
  return new AlertsPlugin(options)
}

function checkChannels(channels: unknown): asserts channels is readonly Channel[] {
  if (!Array.isArray(channels) || channels.length === 0)
    fail('channels', 'an array with at least one channel', channels)
  const names = new Set<string>()
  for (const channel of channels as Partial<Channel>[]) {
    if (typeof channel === 'function')
      fail('channels', 'what its factory returns, called with its options', channel)
    if (typeof channel?.name !== 'string' || channel.name === '' || typeof channel.send !== 'function') {
      fail('channels', 'objects with a name and a method send()', channel)
    }
    if (names.has(channel.name)) fail('channels', 'of different names', channel.name)
    names.add(channel.name)
  }
}
