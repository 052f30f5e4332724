import { redactor } from '@escapement/alerts'
import { EscapementError } from '@escapement/core'
import { show } from '@escapement/core/plugin'
import { createTransport } from 'nodemailer'
import type { Address } from './address.ts'
import { secretsOf, withTls } from './credentials.ts'

/** A mail, as it is given to `sendMail()`. */
export interface Mail {
  from: Address
  to: Address[]
  cc?: Address[]
  replyTo?: Address
  subject: string
  text: string
  html: string
  textEncoding: 'quoted-printable' | 'base64'
  messageId: string
  inReplyTo?: string
  references?: string[]
  date: Date
  headers: Record<string, string>
  priority?: 'high'
  disableFileAccess: boolean
  disableUrlAccess: boolean
  /** The receivers, where that is not all of `to` and `cc`. */
  envelope?: { from: string; to: string[] }
  signal?: AbortSignal
}

/** What a transport answers when a mail was taken. */
export interface Sent {
  rejected?: readonly unknown[]
  rejectedErrors?: readonly { recipient?: string; responseCode?: number; message?: string }[]
}

/** Nodemailer's transport, or anything alike. */
export interface MailTransport {
  sendMail(mail: Mail): Promise<Sent | undefined>
  close?(options?: { force?: boolean }): void
}

/** Options of nodemailer's SMTP transport: `host`, `port`, `secure`, `auth`, `tls`, `pool`, … */
export interface SmtpOptions {
  [option: string]: unknown
}

/** Nodemailer's own are 2 and 10 minutes: too long for an alert. */
const TIMEOUTS = {
  connectionTimeout: 10_000,
  greetingTimeout: 10_000,
  dnsTimeout: 10_000,
  socketTimeout: 30_000,
}
/** For one mail in all, in ms. */
const LONGEST = 60_000

interface Given {
  transport?: unknown
  url?: string
  close?: boolean
}

/** Sends mails, each to all that have not got it yet. */
interface Sender {
  send(mail: Mail, signal: AbortSignal): Promise<void>
  close(): void
}

/** @throws ERR_ESCAPEMENT_OPTION */
export function transportOf({ transport, url, close }: Given): Sender {
  const make = maker(transport, url)
  const hide = redactor(secretsOf(url === undefined ? transport : { url }))
  let mine: MailTransport | undefined
  /** By mail: who has it already. A mail is tried again for the others only. */
  const reached = new Map<string, Set<string>>()

  return {
    async send(mail, signal) {
      const theirs = isTransport(transport) ? transport : undefined
      mine ??= theirs ? undefined : make()
      const all = [...mail.to, ...(mail.cc ?? [])].map(({ address }) => address)
      const done = reached.get(mail.messageId) ?? new Set()
      const left = all.filter((address) => !done.has(address))
      const envelope = { from: mail.from.address, to: left }
      const sent = await bounded((theirs ?? mine) as MailTransport, { ...mail, envelope }, signal, hide)
      const refused = new Set((sent?.rejected ?? []).map((entry) => addressOf(entry)))
      if (refused.size === 0) {
        reached.delete(mail.messageId)
        return
      }
      for (const address of left) if (!refused.has(address)) done.add(address)
      if (reached.size >= 100) reached.clear()
      reached.set(mail.messageId, done)
      throw partial([...refused], sent?.rejectedErrors ?? [], hide)
    },
    close() {
      mine?.close?.({ force: true })
      mine = undefined
      if (close && isTransport(transport)) transport.close?.()
    },
  }
}

function maker(transport: unknown, url: string | undefined): () => MailTransport {
  if ((transport === undefined) === (url === undefined)) {
    throw bad('email() needs one of transport and url')
  }
  if (url !== undefined) {
    let protocol: string | undefined
    try {
      protocol = new URL(url).protocol
    } catch {}
    // The address may hold a password: it is not shown.
    if (protocol !== 'smtp:' && protocol !== 'smtps:')
      throw bad('url must be an address like smtp://user:pass@host:587')
    return () => createTransport(withTls({ url, ...TIMEOUTS })) as MailTransport
  }
  if (typeof transport === 'string') {
    throw bad(
      'transport must be an object with sendMail(), or options for one, but is text: an address is given as url',
    )
  }
  if (transport === null || typeof transport !== 'object' || Array.isArray(transport)) {
    throw bad(`transport must be an object with sendMail(), or options for one, but is ${show(transport)}`)
  }
  return () => createTransport(withTls({ ...TIMEOUTS, ...(transport as SmtpOptions) })) as MailTransport
}

function isTransport(transport: unknown): transport is MailTransport {
  return typeof (transport as MailTransport | undefined)?.sendMail === 'function'
}

/** Ends in time whatever the transport does. */
async function bounded(
  transport: MailTransport,
  mail: Mail,
  signal: AbortSignal,
  hide: (text: string) => string,
): Promise<Sent | undefined> {
  const controller = new AbortController()
  let stop: (reason: unknown) => void = () => {}
  const stopped = new Promise<never>((_, reject) => {
    stop = (reason) => {
      reject(reason)
      controller.abort(reason)
    }
  })
  const onAbort = () => stop(signal.reason)
  const timer = setTimeout(
    () => stop(new Error(`the mail was not taken within ${LONGEST / 1000} s`)),
    LONGEST,
  )
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([transport.sendMail({ ...mail, signal: controller.signal }), stopped])
  } catch (error) {
    throw judged(error, hide)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

/** A mail server that answers 5xx will do so again. It may echo the user and the password. */
function judged(error: unknown, hide: (text: string) => string): unknown {
  if (!(error instanceof Error)) return error
  const { responseCode, code } = error as Error & { responseCode?: number; code?: string }
  const shown = new Error(hide(error.message))
  shown.stack = hide(error.stack ?? '')
  return Object.assign(shown, {
    ...(code !== undefined && { code }),
    ...(responseCode !== undefined && responseCode >= 500 && { retryable: false }),
  })
}

function partial(
  refused: string[],
  errors: NonNullable<Sent['rejectedErrors']>,
  hide: (text: string) => string,
): Error {
  const why = errors.map(({ message }) => message && hide(message)).filter(Boolean)
  const error = new Error(
    `the mail server refused ${refused.join(', ')}${why.length > 0 ? `: ${why.join('; ')}` : ''}`,
  )
  const later = errors.some(({ responseCode }) => responseCode !== undefined && responseCode < 500)
  return Object.assign(error, { taken: true, retryable: later })
}

function addressOf(entry: unknown): string {
  return typeof entry === 'string' ? entry : String((entry as Address | undefined)?.address)
}

function bad(message: string): EscapementError {
  return new EscapementError('ERR_ESCAPEMENT_OPTION', message)
}
