import type { AddressInfo } from 'node:net'
import { simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'

export interface Mailbox {
  url: string
  close(): Promise<void>
}

/** An SMTP server in this process that shows the mails it gets instead of delivering them. */
export async function openMailbox(
  show: (mail: { subject: string; to: string; text: string }) => void,
): Promise<Mailbox> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, _session, taken) {
      simpleParser(stream).then(({ subject = '', to, text = '' }) => {
        const recipients = [to ?? []].flat().map((address) => address.text)
        show({ subject, to: recipients.join(', '), text })
        taken()
      }, taken)
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address() as AddressInfo
  return {
    url: `smtp://127.0.0.1:${port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
