export { alerts } from './alerts.ts'
export { type DingtalkOptions, dingtalk } from './channel/dingtalk.ts'
export { type FeishuOptions, feishu } from './channel/feishu.ts'
export { redactor } from './channel/http.ts'
export type { WebhookChannelOptions } from './channel/options.ts'
export { slack } from './channel/slack.ts'
export { type WebhookOptions, webhook } from './channel/webhook.ts'
export { wecom } from './channel/wecom.ts'
export { type Heartbeat, type HeartbeatOptions, heartbeat, type Ping } from './heartbeat.ts'
export type { SendError } from './message/delivery.ts'
export {
  type Card,
  type Description,
  describe,
  errorName,
  type Fact,
  type Tone,
  tone,
} from './message/describe.ts'
export { type Locale, type Words, words } from './message/locales.ts'
export type { Alerts, AlertsStats } from './types/alerts.ts'
export type * from './types/index.ts'
export type {
  AlertsOptions,
  Escalation,
  Inhibition,
  Match,
  Policy,
  Quiet,
  Rule,
  Subject,
} from './types/options.ts'
export { oneLine, plain } from './util/plain-text.ts'
