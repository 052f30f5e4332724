import {
  type Card,
  type Description,
  type ErrorFacts,
  errorName,
  type Message,
  oneLine,
  plain,
} from '@escapement/alerts'

type Words = Description['words']

/** So many are told in full when there are no more; of more, so many get two lines each. */
const FULL = 4
const ROWS = 500

/** The mail as plain text: the same, for terminals and for those who read no HTML. */
export function text(message: Message, { words, title, summary, cards }: Description): string {
  const many = cards.length > FULL
  const more = cards.length - ROWS
  const parts = many
    ? [
        [
          ...cards.slice(0, ROWS).map((card) => line(card, words)),
          ...(more > 0 ? [words.more(more)] : []),
        ].join('\n'),
      ]
    : cards.map((card) => full(card, words))
  const head = cards.length === 1 ? [] : [`${title}\n${summary}`]
  return `${[...head, ...parts, `-- \n${oneLine(words.sentBy(message.instance), 200)}`].join('\n\n')}\n`
}

function full(card: Card, words: Words): string {
  const { notice, facts, links } = card
  const width = Math.max(...facts.map(({ label }) => columns(label)), 0)
  const table = facts.map(
    ({ label, value }) => `${label}${' '.repeat(width - columns(label))}  ${oneLine(value, 600)}`,
  )
  const open = notice.status === 'open'
  const last = open ? notice.errors.at(-1) : undefined
  const parts = [
    [
      `${oneLine(card.title, 200)} [${card.badge}]`,
      card.description && oneLine(card.description, 300),
      card.sentence,
    ]
      .filter(Boolean)
      .join('\n'),
    last && indent(errorText(last, words)),
    table.join('\n'),
    links.map(({ label, url }) => `${label}: ${url}`).join('\n'),
    open && notice.errors.length > 1 && notice.errors.map((error) => attempt(error, words)).join('\n'),
    last?.stack && `${words.stack}\n${indent(plain(last.stack, 5000))}`,
  ]
  return parts.filter(Boolean).join('\n\n')
}

function errorText(error: ErrorFacts, words: Words): string {
  const causes = error.causes.map((cause) => `\n${words.causedBy}: ${oneLine(cause, 300)}`)
  return `${errorName(error)}: ${plain(error.message, 1200)}${causes.join('')}`
}

function attempt(error: ErrorFacts, words: Words): string {
  return `${words.attempt(error.attempt)}: ${errorName(error)}: ${oneLine(error.message, 300)}`
}

function line({ notice, title, badge, error, sentence }: Card, words: Words): string {
  const times = notice.count > 1 ? ` (${words.times(notice.count)})` : ''
  return `${oneLine(title, 120)} [${badge}]${times}\n    ${oneLine(error ?? sentence, 200)}`
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ')
}

/** Chinese characters take two columns. */
function columns(text: string): number {
  return [...text].reduce((sum, char) => sum + (char > '\u2e7f' ? 2 : 1), 0)
}
