import {
  type Card,
  type Description,
  type ErrorFacts,
  errorName,
  type Message,
  oneLine,
  plain,
} from '@escapement/alerts'
import { type Encoding, encodedSize, fitting } from './encoded.ts'

type Words = Description['words']

/** Up to this number of incidents are reported in full; of more, each gets two lines while there is room. */
const FULL = 4
/** Encoded bytes of all of them. */
const ROOM = 27_000
/** Characters of a stack: the longest that there is room for. */
const STACKS = [5000, 2000, 500, 0]

/** The mail as plain text: the same, for terminals and for those who read no HTML. */
export function text(
  message: Message,
  { words, title, summary, cards }: Description,
  encoding: Encoding,
): string {
  const body = (cards.length <= FULL && inFull(cards, words, encoding)) || list(cards, words, encoding)
  const head = cards.length === 1 ? [] : [`${title}\n${summary}`]
  return `${[...head, body, `-- \n${oneLine(words.sentBy(message.instance), 200)}`].join('\n\n')}\n`
}

function list(cards: readonly Card[], words: Words, encoding: Encoding): string {
  const { rows, more } = fitting(cards, (card) => line(card, words), { room: ROOM, encoding })
  return [...rows, ...(more > 0 ? [words.more(more)] : [])].join('\n')
}

/** With stacks as long as there is room for; undefined when there is none. */
function inFull(cards: readonly Card[], words: Words, encoding: Encoding): string | undefined {
  for (const stack of STACKS) {
    const told = cards.map((card) => full(card, words, stack)).join('\n\n')
    if (encodedSize(told, encoding) <= ROOM) return told
  }
}

function full(card: Card, words: Words, stack: number): string {
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
    stack > 0 && last?.stack && `${words.stack}\n${indent(plain(last.stack, stack))}`,
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
