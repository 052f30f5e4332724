import type { Host, Plugin } from '@escapement/core'
import type { Incident } from './index.ts'

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
