export type { AddressLike } from './address.ts'
export { type EmailOptions, email } from './email.ts'
export type { Mail, MailTransport, Sent, SmtpOptions } from './transport.ts'
