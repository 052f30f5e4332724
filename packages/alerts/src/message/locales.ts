import type { Kind, Notice, Severity } from '../types/index.ts'

export type Locale = 'en' | 'zh'

/** All that channels say in words. */
export interface Words {
  readonly lang: string
  readonly kind: Record<Kind, string>
  readonly severity: Record<Severity, string>
  readonly recovered: string
  readonly again: string
  readonly escalated: string
  /** The subject of a thread of one incident, and of several. */
  title(kind: Kind, subject: string): string
  titleOfMany(incidents: number): string
  /** What happened, in one sentence. */
  sentence(notice: Notice): string
  /** What a mail of several tells, in one sentence. */
  summary(open: number, recovered: number): string
  readonly label: Record<Label, string>
  readonly attempts: string
  readonly attempt: (n: number) => string
  readonly times: (n: number) => string
  readonly more: (n: number) => string
  readonly none: string
  readonly noNext: string
  readonly runbook: string
  readonly trace: string
  readonly causedBy: string
  readonly stack: string
  readonly sentBy: (instance: string) => string
  duration(ms: number): string
}

export type Label =
  | 'owner'
  | 'group'
  | 'schedule'
  | 'scheduledAt'
  | 'utc'
  | 'started'
  | 'took'
  | 'attempts'
  | 'lastSuccess'
  | 'next'
  | 'since'
  | 'met'
  | 'recoveredAt'
  | 'instance'
  | 'run'
  | 'trace'
  | 'detail'
  | 'runbook'

const en: Words = {
  lang: 'en',
  kind: {
    failed: 'failed',
    missed: 'missed',
    slow: 'slow',
    'lease-lost': 'lease lost',
    abandoned: 'abandoned',
    'stopped-without-drain': 'stopped without drain',
    'channel-failed': 'channel failed',
  },
  severity: { info: 'Info', warning: 'Warning', error: 'Error', critical: 'Critical' },
  recovered: 'recovered',
  again: 'still open',
  escalated: 'escalated',
  title: (kind, subject) => `${subject}: ${en.kind[kind]}`,
  titleOfMany: (incidents) => `${incidents} incidents`,
  sentence: (notice) => {
    const { kind, status, run, openedAt, recoveredAt, told, subject } = notice
    if (status === 'recovered') {
      const lasted = en.duration((recoveredAt ?? openedAt).getTime() - openedAt.getTime())
      return told > 0
        ? `${subject} works again. The trouble lasted ${lasted}.`
        : `${subject} had trouble for ${lasted} and has recovered by itself.`
    }
    switch (kind) {
      case 'failed':
        return run?.outcome === 'timed-out'
          ? `The run took longer than its timeout${tries(run.attempts, en)}.`
          : `The run ended with an error${tries(run?.attempts, en)}.`
      case 'missed':
        return run?.reason === 'claim-unavailable'
          ? 'The tick was not run: the lock could not be reached.'
          : 'The tick was not started in time.'
      case 'slow':
        return `A run is under way for ${en.duration(run?.duration ?? 0)}, longer than expected.`
      case 'lease-lost':
        return 'The run lost its lease: another instance may have taken over.'
      case 'abandoned':
        return 'The instance of the run died, or was cut off, before the run had ended.'
      case 'stopped-without-drain':
        return 'The scheduler stopped before all runs had ended.'
      case 'channel-failed':
        return `The alert channel ${subject} does not take messages. What it should tell waits.`
    }
  },
  summary: (open, recovered) =>
    [open > 0 && `${open} open`, recovered > 0 && `${recovered} recovered`].filter(Boolean).join(', '),
  label: {
    owner: 'Owner',
    group: 'Group',
    schedule: 'Schedule',
    scheduledAt: 'Tick',
    utc: 'Tick in UTC',
    started: 'Started',
    took: 'Took',
    attempts: 'Attempts',
    lastSuccess: 'Last success',
    next: 'Next run',
    since: 'Open since',
    met: 'Happened',
    recoveredAt: 'Recovered',
    instance: 'Instance',
    run: 'Run',
    trace: 'Trace',
    detail: 'Detail',
    runbook: 'Runbook',
  },
  attempts: 'Attempts',
  attempt: (n) => `Attempt ${n}`,
  times: (n) => (n === 1 ? 'once' : `${n} times`),
  more: (n) => `and ${n} more`,
  none: 'none known',
  noNext: 'none',
  runbook: 'Open runbook',
  trace: 'Open trace',
  causedBy: 'Caused by',
  stack: 'Stack',
  sentBy: (instance) => `Sent by Escapement on ${instance}`,
  duration: (ms) => spell(ms, ['ms', 's', 'min', 'h', 'd'], ' '),
}

const zh: Words = {
  lang: 'zh-CN',
  kind: {
    failed: '运行失败',
    missed: '错过执行',
    slow: '运行缓慢',
    'lease-lost': '租约丢失',
    abandoned: '运行中断',
    'stopped-without-drain': '未排空即停止',
    'channel-failed': '告警通道故障',
  },
  severity: { info: '提示', warning: '警告', error: '错误', critical: '严重' },
  recovered: '已恢复',
  again: '仍未恢复',
  escalated: '已升级',
  title: (kind, subject) => `${subject}：${zh.kind[kind]}`,
  titleOfMany: (incidents) => `${incidents} 个告警`,
  sentence: (notice) => {
    const { kind, status, run, openedAt, recoveredAt, told, subject } = notice
    if (status === 'recovered') {
      const lasted = zh.duration((recoveredAt ?? openedAt).getTime() - openedAt.getTime())
      return told > 0
        ? `${subject} 已恢复正常，故障持续 ${lasted}。`
        : `${subject} 曾出现故障 ${lasted}，现已自行恢复。`
    }
    switch (kind) {
      case 'failed':
        return run?.outcome === 'timed-out'
          ? `运行超时${tries(run.attempts, zh)}。`
          : `运行以错误结束${tries(run?.attempts, zh)}。`
      case 'missed':
        return run?.reason === 'claim-unavailable' ? '未执行：无法连接到锁服务。' : '未能按时开始执行。'
      case 'slow':
        return `已运行 ${zh.duration(run?.duration ?? 0)}，超过预期。`
      case 'lease-lost':
        return '运行失去了租约：可能已被其他实例接管。'
      case 'abandoned':
        return '运行尚未结束，所在实例已退出或失联。'
      case 'stopped-without-drain':
        return '调度器停止时仍有运行未结束。'
      case 'channel-failed':
        return `告警通道 ${subject} 无法接收消息，待发内容已保留。`
    }
  },
  summary: (open, recovered) =>
    [open > 0 && `${open} 个未恢复`, recovered > 0 && `${recovered} 个已恢复`].filter(Boolean).join('，'),
  label: {
    owner: '负责人',
    group: '分组',
    schedule: '计划',
    scheduledAt: '计划时间',
    utc: '计划时间 (UTC)',
    started: '开始',
    took: '耗时',
    attempts: '尝试次数',
    lastSuccess: '上次成功',
    next: '下次运行',
    since: '故障开始',
    met: '发生次数',
    recoveredAt: '恢复时间',
    instance: '实例',
    run: '运行 ID',
    trace: '链路 ID',
    detail: '详情',
    runbook: '处理手册',
  },
  attempts: '各次尝试',
  attempt: (n) => `第 ${n} 次尝试`,
  times: (n) => `${n} 次`,
  more: (n) => `另有 ${n} 个`,
  none: '无记录',
  noNext: '无',
  runbook: '打开处理手册',
  trace: '查看链路',
  causedBy: '起因',
  stack: '调用栈',
  sentBy: (instance) => `由 Escapement 发送 · ${instance}`,
  duration: (ms) => spell(ms, ['毫秒', '秒', '分钟', '小时', '天'], ' '),
}

export const words: Record<Locale, Words> = { en, zh }

function tries(attempts: number | undefined, { lang }: Words): string {
  if (!attempts || attempts < 2) return ''
  return lang === 'en' ? ` after ${attempts} attempts` : `（共尝试 ${attempts} 次）`
}

/** The two largest units: `1 h 30 min`, `2.5 s`, `40 ms`. */
function spell(ms: number, units: readonly [string, string, string, string, string], gap: string): string {
  const [milli, second, minute, hour, day] = units
  if (ms < 1000) return `${Math.round(ms)}${gap}${milli}`
  if (ms < 60_000) return `${Math.round(ms / 100) / 10}${gap}${second}`
  const [big, small, size, most] =
    ms < 3_600_000
      ? [minute, second, 60, 1]
      : ms < 86_400_000
        ? [hour, minute, 3600, 60]
        : [day, hour, 86_400, 3600]
  const seconds = Math.round(ms / 1000)
  const rest = Math.floor((seconds % size) / most)
  return `${Math.floor(seconds / size)}${gap}${big}${rest > 0 ? ` ${rest}${gap}${small}` : ''}`
}
