/** A length of time: milliseconds, or `'250ms'`, `'90s'`, `'10m'`, `'1h30m'`, `'2d'`, `'1w'`. */
export type Duration = number | string

/** A value now or later. Links stay synchronous where they can: a promise costs more than a tick. */
export type Maybe<T> = T | Promise<T>
