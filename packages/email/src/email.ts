import { type Channel, describe, type Locale, type Message, oneLine, words } from '@escapement/alerts'
import { EscapementError } from '@escapement/core'
import { type Address, type AddressLike, parseAddresses } from './address.ts'
import { html } from './html.ts'
import { text } from './text.ts'
import { type MailTransport, type SmtpOptions, transportOf } from './transport.ts'

export interface EmailOptions {
  /** Nodemailer's transport, or anything with its `sendMail()`; it stays yours to close. Or options to make one of. */
  transport?: MailTransport | SmtpOptions
  /** Instead of a transport: `smtp://user:pass@host:587`, `smtps://…`. */
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
}

/**
 * A channel that sends mails. The messages about one incident stay in one thread.
 *
 * @throws ERR_ESCAPEMENT_OPTION
 *
 * @example
 * alerts({ channels: [email({ url: process.env.SMTP_URL, from: 'Jobs <jobs@example.org>', to: 'ops@example.org' })] })
 */
export function email(options: EmailOptions): Channel {
  const { locale = 'en', app = 'Escapement', name = 'email' } = options
  if (!Object.hasOwn(words, locale)) {
    throw new EscapementError(
      'ERR_ESCAPEMENT_OPTION',
      `locale must be ${Object.keys(words).join(' or ')}, but is ${String(locale)}`,
    )
  }
  const [from] = parseAddresses(options.from, 'from') as [Address]
  const to = parseAddresses(options.to, 'to')
  const cc = options.cc === undefined ? [] : parseAddresses(options.cc, 'cc')
  const replyTo = options.replyTo === undefined ? undefined : parseAddresses(options.replyTo, 'replyTo')[0]
  const transport = transportOf(options)
  const domain = from.address.slice(from.address.indexOf('@') + 1)
  const messageId = (id: string) => `<${id.replace(/[^\w.-]/g, '')}@${domain}>`

  return {
    name,
    async send(message, { signal }) {
      const shown = describe(message, { locale, app })
      const reply = message.thread.id !== message.id
      await transport.send(
        {
          from,
          to,
          ...(cc.length > 0 && { cc }),
          ...(replyTo && { replyTo }),
          subject: `${reply ? 'Re: ' : ''}${subject(message, locale, app)}`,
          text: text(message, shown),
          html: html(message, shown),
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
        },
        signal,
      )
    },
    close: () => transport.close(),
  }
}

/** The same for all mails of a thread: mail clients keep them together by it. */
function subject({ thread }: Message, locale: Locale, app: string): string {
  const { title, titleOfMany } = words[locale]
  const what =
    thread.incidents > 1 ? titleOfMany(thread.incidents) : title(thread.kind, oneLine(thread.subject, 120))
  return oneLine(`[${app}] ${what}`, 200)
}
