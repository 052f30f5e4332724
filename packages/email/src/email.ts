import {
  type Channel,
  type Description,
  describe,
  type Locale,
  type Message,
  oneLine,
  words,
} from '@escapement/alerts'
import { checkKeys, fail, flag, oneOf, text as textOption } from '@escapement/core/plugin'
import { type Address, type AddressLike, parseAddresses } from './address.ts'
import { encodingOf } from './encoded.ts'
import { html } from './html.ts'
import { text } from './text.ts'
import { type Mail, type MailTransport, type SmtpOptions, transportOf } from './transport.ts'

export interface EmailOptions {
  /** Nodemailer's transport, or anything with its `sendMail()`; it stays yours to close, see `close`. Or options to make one of. */
  transport?: MailTransport | SmtpOptions
  /**
   * Instead of a transport: `smtp://user:pass@host:587`, `smtps://…`. A password is sent over TLS only, unless the host is
   * this machine or the address says `?requireTLS=false`.
   */
  url?: string
  from: string
  to: AddressLike
  cc?: AddressLike
  replyTo?: string
  /** Language of the mails. Default `'en'`. */
  locale?: Locale
  /** The name of the app, in subject and head. Default `Escapement`. */
  app?: string
  /** The channel's name, for rules. Default `email`. */
  name?: string
  /**
   * Whether a transport that was given is closed when the scheduler stops. A pool keeps the process alive until then.
   * A closed pool takes no more mails. Default false: it stays yours to close.
   */
  close?: boolean
}

const KNOWN = {
  transport: 1,
  url: 1,
  from: 1,
  to: 1,
  cc: 1,
  replyTo: 1,
  locale: 1,
  app: 1,
  name: 1,
  close: 1,
} satisfies Record<keyof EmailOptions, 1>

/**
 * A channel that sends mails. The messages about one incident stay in one thread.
 *
 * @throws ERR_ESCAPEMENT_OPTION
 *
 * @example
 * alerts({ channels: [email({ url: process.env.SMTP_URL, from: 'Jobs <jobs@example.org>', to: 'ops@example.org' })] })
 */
export function email(options: EmailOptions): Channel {
  const settings = parseOptions(options)
  const transport = transportOf(options)
  return {
    name: settings.name,
    send: (message, { signal }) => transport.send(mailOf(message, settings), signal),
    close: () => transport.close(),
  }
}

interface Settings {
  readonly locale: Locale
  readonly app: string
  readonly name: string
  readonly from: Address
  readonly to: Address[]
  readonly cc: Address[]
  readonly replyTo: Address | undefined
}

function parseOptions(options: EmailOptions): Settings {
  checkKeys(options, KNOWN, 'email() option')
  const { locale = 'en', app = 'Escapement', name = 'email' } = options
  oneOf('email: locale', locale, Object.keys(words) as Locale[])
  textOption('email: app', app)
  if (textOption('email: name', name) === '') fail('email: name', 'a text that is not empty', name)
  if (options.close !== undefined) flag('email: close', options.close)
  const [from] = parseAddresses(options.from, 'from') as [Address]
  const to = parseAddresses(options.to, 'to')
  const cc = options.cc === undefined ? [] : parseAddresses(options.cc, 'cc')
  const replyTo = options.replyTo === undefined ? undefined : parseAddresses(options.replyTo, 'replyTo')[0]
  return { locale, app, name, from, to, cc, replyTo }
}

function mailOf(message: Message, { locale, app, from, to, cc, replyTo }: Settings): Mail {
  const domain = from.address.slice(from.address.indexOf('@') + 1)
  const messageId = (id: string) => `<${id.replace(/[^\w.-]/g, '')}@${domain}>`
  const shown = describe(message, { locale, app })
  const encoding = encodingOf(sampleOf(shown.cards))
  const reply = message.thread.id !== message.id
  return {
    from,
    to,
    ...(cc.length > 0 && { cc }),
    ...(replyTo && { replyTo }),
    subject: `${reply ? 'Re: ' : ''}${subject(message, locale, app)}`,
    text: text(message, shown, encoding),
    html: html(message, shown, encoding),
    textEncoding: encoding,
    messageId: messageId(message.id),
    ...(reply && { inReplyTo: messageId(message.thread.id) }),
    ...(message.references.length > 0 && { references: message.references.map(messageId) }),
    date: message.at,
    // Nobody's holiday notice should answer, and no loop begin (RFC 3834).
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    ...(message.severity === 'critical' && { priority: 'high' as const }),
    // Nothing in a mail is ever read from a file or an address.
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

/** The texts that a mail has most of. */
function sampleOf(cards: Description['cards']): string {
  const texts = cards.map(({ title, description, sentence, notice }) => {
    const { message = '', stack = '', causes = [] } = notice.errors.at(-1) ?? {}
    return [title, description, sentence, message, stack.slice(0, 5000), ...causes].join(' ')
  })
  return texts.join(' ').slice(0, 50_000)
}

/** The same for all mails of a thread: mail clients keep them together by it. */
function subject({ thread }: Message, locale: Locale, app: string): string {
  const { title, titleOfMany } = words[locale]
  const what =
    thread.incidents > 1 ? titleOfMany(thread.incidents) : title(thread.kind, oneLine(thread.subject, 120))
  return oneLine(`[${app}] ${what}`, 200)
}
