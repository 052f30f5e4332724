/** What a Redis holds: texts with an expiry, and sorted sets. */
export interface Entry {
  value: string | Map<string, number> | Map<string, string>
  /** By the wall clock of the server, in ms. */
  expires: number
}

export type Keyspace = Map<string, Entry>

export function copy(space: Keyspace): Keyspace {
  return new Map(
    [...space].map(([key, { value, expires }]) => [
      key,
      {
        value: typeof value === 'string' ? value : (new Map(value as Map<string, never>) as Entry['value']),
        expires,
      },
    ]),
  )
}
