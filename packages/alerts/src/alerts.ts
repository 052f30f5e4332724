import type { Host, Plugin } from '@escapement/core'
import { fail } from '@escapement/core/plugin'
import type { Channel, Incident } from './interfaces.ts'
import type { AlertsOptions } from './options.ts'
import { AlertsPlugin } from './plugin.ts'
import { checkOptions } from './settings.ts'

/** What `alerts()` gives: a plugin, and what can be asked of it. */
export interface Alerts extends Plugin {
  readonly name: 'alerts'
  setup(host: Host): void
  start(): Promise<void>
  stop(): Promise<void>
  /** Switches the alerts of a job off or on. What is open when it is switched off is forgotten. */
  enable(job: string, on?: boolean): void
  /** What is open or waits to be told, the newest first. */
  incidents(): Incident[]
  stats(): AlertsStats
}

export interface AlertsStats {
  /** Incidents that are open, or whose end is not told yet. */
  incidents: number
  /** Notices that are due and not sent yet, over all channels. */
  waiting: number
  /** Messages. */
  sent: number
  /** Messages that a channel did not take after all tries. Their notices are sent again later. */
  failed: number
  /** Notices that were lost: not sent when the scheduler stopped, and not kept by a store. */
  dropped: number
}

/**
 * Tells people of what goes wrong with jobs: each incident once, its end too, and never a flood.
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
