import {
  type Card,
  type Description,
  type ErrorFacts,
  errorName,
  type Message,
  oneLine,
  plain,
  type Tone,
  tone,
} from '@escapement/alerts'
import { type Encoding, encodedSize, fitting } from './encoded.ts'
import { escapeHtml } from './escape.ts'

type Words = Description['words']

/**
 * The mail as HTML: tables and inline styles, which old clients need; the style sheet adds the dark colours
 * and the narrow layout for those that read it. With the text below the 102 kB at which Gmail cuts.
 */
export function html(message: Message, view: Description, encoding: Encoding): string {
  const { words, tone } = view
  const { cards } = view
  const single = cards.length === 1
  const body = (cards.length <= FULL && inFull(view, encoding)) || list(view, encoding)
  return `<!doctype html>
<html lang="${words.lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${text(view.title, 200)}</title>
<style>${STYLE}</style>
</head>
<body class="page" style="margin:0;padding:0;background:#f3f4f6;${FONT}">
<div style="display:none;max-height:0;overflow:hidden;mso-hide:all">${text(preheader(view), 160)}</div>
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" style="background:#f3f4f6">
<tr><td align="center" class="outer" style="padding:32px 16px">
<table role="presentation" class="sheet" width="100%" cellpadding="0" cellspacing="0" style="max-width:640px;background:#ffffff;border:1px solid #e4e7ec;border-radius:12px;overflow:hidden">
<tr><td style="height:5px;background:${COLORS[tone].strong};font-size:0;line-height:0">&nbsp;</td></tr>
<tr><td class="pad" style="padding:26px 32px 0">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr>
<td class="muted" style="font-size:13px;line-height:18px;color:#667085">${text(view.app, 100)}</td>
<td class="muted" align="right" style="font-size:13px;line-height:18px;color:#667085;white-space:nowrap">${tone === 'good' ? '' : text(words.severity[message.severity], 40)}</td>
</tr></table>
</td></tr>
${single ? '' : head(view)}
${body}
<tr><td class="pad foot muted" style="padding:18px 32px 22px;border-top:1px solid #eaecf0;font-size:12px;line-height:18px;color:#667085;word-break:break-word">${text(words.sentBy(message.instance), 200)}</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`
}

/** Up to this number of incidents are reported in full; of more, each gets a row while there is room. */
const FULL = 4
/** Encoded bytes of the rows, so that there is room for what is around them and for the text. */
const ROOM = 60_000
/** Characters of a stack: of one incident the longest that there is room for. */
const STACKS = [5000, 2000, 500, 0]
const STACK_OF_MANY = 1500

const COLORS: Record<Tone, { strong: string; text: string; soft: string }> = {
  bad: { strong: '#d92d20', text: '#b42318', soft: '#fef3f2' },
  warn: { strong: '#f79009', text: '#93370d', soft: '#fffaeb' },
  good: { strong: '#12b76a', text: '#05603a', soft: '#ecfdf3' },
  info: { strong: '#2e90fa', text: '#175cd3', soft: '#eff8ff' },
}
const FONT =
  "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Helvetica Neue',Arial,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;"
const MONO = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace;"

// Style sheets win over inline styles only with !important.
const STYLE = `
body{-webkit-text-size-adjust:100%;text-size-adjust:100%}
a{text-decoration:none}
@media (max-width:480px){
.outer{padding:0!important}
.sheet{border-radius:0!important;border-left:0!important;border-right:0!important}
.pad{padding-left:20px!important;padding-right:20px!important}
.title{font-size:22px!important;line-height:28px!important}
.fact td.label{width:92px!important;padding-right:10px!important}
.button{display:block!important;text-align:center!important;margin:0 0 10px!important}
}
@media (prefers-color-scheme:dark){
.page{background:#0c111d!important}
.sheet{background:#161b26!important;border-color:#333741!important}
.title,.strong,.value{color:#f5f5f6!important}
.text{color:#cecfd2!important}
.muted,.label{color:#94969c!important}
.line,.label,.value{border-color:#262b36!important}
.foot{border-color:#262b36!important}
.code{background:#0c111d!important;border-color:#333741!important;color:#e4e5e7!important}
.badge-bad{background:#55160c!important;color:#fda29b!important}
.badge-warn{background:#4e1d09!important;color:#fec84b!important}
.badge-good{background:#053321!important;color:#75e0a7!important}
.badge-info{background:#102a56!important;color:#84caff!important}
.secondary{background:#161b26!important;border-color:#475467!important;color:#cecfd2!important}
.primary{background:#f5f5f6!important;border-color:#f5f5f6!important;color:#161b26!important}
}`

function head({ title, summary }: Description): string {
  return `<tr><td class="pad" style="padding:14px 32px 22px">
<div class="title" style="font-size:26px;line-height:32px;font-weight:700;color:#101828">${text(title, 200)}</div>
<div class="text" style="margin-top:6px;font-size:15px;line-height:22px;color:#344054">${text(summary, 200)}</div>
</td></tr>`
}

/** With stacks as long as there is room for; undefined when there is none. */
function inFull({ cards, words }: Description, encoding: Encoding): string | undefined {
  const single = cards.length === 1
  for (const stack of single ? STACKS : [STACK_OF_MANY]) {
    const told = cards.map((card) => full(card, words, { single, stack })).join('')
    if (encodedSize(told, encoding) <= ROOM) return told
  }
}

function full(card: Card, words: Words, { single, stack }: { single: boolean; stack: number }): string {
  const { notice, title, description, sentence, facts, links } = card
  const many = !single
  return `<tr><td class="pad${many ? ' line' : ''}" style="padding:${many ? 22 : 14}px 32px 8px${many ? ';border-top:1px solid #eaecf0' : ''}">
<div>${badge(card)}</div>
<div class="title" style="margin-top:10px;font-size:${many ? 20 : 26}px;line-height:${many ? 26 : 32}px;font-weight:700;color:#101828;word-break:break-word">${text(title, 200)}</div>
${description ? `<div class="muted" style="margin-top:4px;font-size:14px;line-height:20px;color:#667085;word-break:break-word">${text(description, 300)}</div>` : ''}
<div class="text" style="margin-top:12px;font-size:15px;line-height:22px;color:#344054">${text(sentence, 400)}</div>
${notice.status === 'open' ? lead(notice.errors.at(-1), words) : ''}
${buttons(links)}
</td></tr>
<tr><td class="pad" style="padding:8px 32px 14px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0">
${facts.map(fact).join('\n')}
</table>
</td></tr>
${notice.status === 'open' ? attempts(notice.errors, words, stack) : ''}`
}

function badge(card: Card): string {
  const tint = tone(card.notice)
  const { soft, text: color } = COLORS[tint]
  return `<span class="badge-${tint}" style="display:inline-block;padding:3px 11px;border-radius:12px;background:${soft};color:${color};font-size:13px;line-height:18px;font-weight:600">${text(card.badge, 100)}</span>`
}

/** The error that ended the run, at once to be seen. */
function lead(error: ErrorFacts | undefined, words: Words): string {
  if (!error) return ''
  const causes = error.causes.slice(0, 3).map((cause) => `${words.causedBy}: ${oneLine(cause, 300)}`)
  const lines = [errorName(error), plain(error.message, 1200), ...causes].map((line) => escapeHtml(line))
  return `<div class="code" style="margin-top:16px;padding:12px 14px;background:#f9fafb;border:1px solid #eaecf0;border-radius:8px;${MONO}font-size:13px;line-height:20px;color:#101828;white-space:pre-wrap;word-break:break-word;overflow-wrap:anywhere"><b>${lines[0]}</b>\n${lines.slice(1).join('\n')}</div>`
}

function buttons(links: Card['links']): string {
  if (links.length === 0) return ''
  const made = links.map(({ label, url }, i) => {
    const [kind, style] =
      i === 0
        ? ['primary', 'background:#101828;border:1px solid #101828;color:#ffffff']
        : ['secondary', 'background:#ffffff;border:1px solid #d0d5dd;color:#344054']
    return `<a class="button ${kind}" href="${escapeHtml(url)}" style="display:inline-block;margin:0 8px 0 0;padding:9px 16px;border-radius:8px;${style};font-size:14px;line-height:20px;font-weight:600;text-decoration:none">${text(label, 60)}</a>`
  })
  return `<div style="margin-top:18px">${made.join('')}</div>`
}

function fact({ label, value, code }: Card['facts'][number]): string {
  const style = code ? `${MONO}font-size:12px;` : 'font-size:14px;'
  return `<tr class="fact"><td class="label" width="128" valign="top" style="padding:8px 16px 8px 0;border-bottom:1px solid #f2f4f7;font-size:13px;line-height:20px;color:#667085">${text(label, 60)}</td><td class="value" valign="top" style="padding:8px 0;border-bottom:1px solid #f2f4f7;${style}line-height:20px;color:#101828;word-break:break-word;overflow-wrap:anywhere">${text(value, 600)}</td></tr>`
}

function attempts(errors: readonly ErrorFacts[], words: Words, stackLength: number): string {
  const stack = errors.at(-1)?.stack
  const several = errors.length > 1 ? errors : []
  if (several.length === 0 && !stack) return ''
  const rows = several.map(
    (error) =>
      `<tr class="fact"><td class="label" width="128" valign="top" style="padding:7px 16px 7px 0;font-size:13px;line-height:20px;color:#667085">${text(words.attempt(error.attempt), 60)}</td><td class="value" valign="top" style="padding:7px 0;${MONO}font-size:13px;line-height:20px;color:#101828;word-break:break-word;overflow-wrap:anywhere">${text(`${errorName(error)}: ${oneLine(error.message, 300)}`, 420)}</td></tr>`,
  )
  return `<tr><td class="pad" style="padding:4px 32px 22px">
${rows.length > 0 ? `<div class="strong" style="margin-top:4px;font-size:14px;line-height:20px;font-weight:600;color:#101828">${text(words.attempts, 60)}</div><table role="presentation" width="100%" cellpadding="0" cellspacing="0">${rows.join('\n')}</table>` : ''}
${stack && stackLength > 0 ? `<div class="strong" style="margin-top:14px;font-size:14px;line-height:20px;font-weight:600;color:#101828">${text(words.stack, 60)}</div><div class="code" style="margin-top:8px;padding:12px 14px;background:#f9fafb;border:1px solid #eaecf0;border-radius:8px;${MONO}font-size:12px;line-height:18px;color:#344054;white-space:pre-wrap;word-break:break-word;overflow-wrap:anywhere">${escapeHtml(plain(stack, stackLength))}</div>` : ''}
</td></tr>`
}

function list({ cards, words }: Description, encoding: Encoding): string {
  const { rows, more } = fitting(cards, (card) => row(card, words), { room: ROOM, encoding })
  return `<tr><td class="pad" style="padding:0 32px 18px"><table role="presentation" width="100%" cellpadding="0" cellspacing="0">${rows.join('\n')}</table>${more > 0 ? `<div class="muted" style="padding-top:12px;font-size:13px;color:#667085">${text(words.more(more), 60)}</div>` : ''}</td></tr>`
}

function row(card: Card, words: Words): string {
  const { notice, title, error, sentence } = card
  const times = notice.count > 1 ? ` · ${words.times(notice.count)}` : ''
  return `<tr><td class="line" style="padding:11px 0;border-top:1px solid #eaecf0">
<div class="strong" style="font-size:14px;line-height:20px;font-weight:600;color:#101828;word-break:break-word">${text(title, 120)} &nbsp;${badge(card)}</div>
<div class="muted" style="margin-top:2px;font-size:13px;line-height:19px;color:#667085;word-break:break-word;overflow-wrap:anywhere">${text(`${oneLine(error ?? sentence, 170)}${times}`, 200)}</div>
</td></tr>`
}

/** What inboxes show behind the subject: it tells a reply from the first mail. */
function preheader({ cards, summary }: Description): string {
  const [card] = cards
  if (!card || cards.length > 1) return summary
  const error = card.notice.status === 'open' ? card.notice.errors.at(-1) : undefined
  return error ? `${card.badge} · ${errorName(error)}: ${error.message}` : `${card.badge} · ${card.sentence}`
}

function text(value: string, length: number): string {
  return escapeHtml(oneLine(value, length))
}
