import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

export interface Mailbox {
  url: string
  port: number
  mails: ParsedMail[]
  /** Who each mail was for. */
  recipients: string[][]
  raw: string[]
  /** Connections ever made. */
  connections: number
  /** Resolves when so many mails are there. */
  arrived(count: number): Promise<ParsedMail[]>
  close(): Promise<void>
}

/** A real SMTP server on a free port of this machine. */
export async function mailbox(options: SMTPServerOptions = {}): Promise<Mailbox> {
  const waiting: { count: number; resolve: () => void }[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onConnect(_session, callback) {
      box.connections++
      callback()
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const raw = Buffer.concat(chunks).toString()
        simpleParser(raw).then((mail) => {
          box.raw.push(raw)
          box.mails.push(mail)
          box.recipients.push(session.envelope.rcptTo.map(({ address }) => address))
          for (const { count, resolve } of waiting) if (box.mails.length >= count) resolve()
          callback()
        }, callback)
      })
    },
    ...options,
  })
  server.on('error', () => {})
  const listening = server.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const { port } = listening.address() as AddressInfo
  const box: Mailbox = {
    port,
    url: `smtp://127.0.0.1:${port}`,
    mails: [],
    recipients: [],
    raw: [],
    connections: 0,
    async arrived(count) {
      if (box.mails.length < count) await new Promise<void>((resolve) => waiting.push({ count, resolve }))
      return box.mails
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
  return box
}
