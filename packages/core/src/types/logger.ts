/** Writes a structured line: fields first, message second, as pino does. */
export type LogMethod = (fields: object | string, message?: string) => void

export interface Logger {
  debug: LogMethod
  info: LogMethod
  warn: LogMethod
  error: LogMethod
}

/** What can be given as a logger: pino, winston, the console, or anything with these four methods. */
// biome-ignore lint/suspicious/noExplicitAny: the loggers differ in what their methods take
export type LoggerLike = { readonly [L in keyof Logger]: (...args: any[]) => unknown }
