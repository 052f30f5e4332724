/** What goes wrong with a database. */
export type SqlFault =
  /** Another program holds the write lock of the file, or the tables. */
  | { readonly do: 'lock'; readonly server: number; readonly ms: number }
  /** A process gets no processor while it holds the write lock of the file. */
  | { readonly do: 'hold'; readonly who: string; readonly server: number; readonly ms: number }
  | { readonly do: 'full' | 'io-errors'; readonly server: number; readonly ms: number }
  /** A process dies within its next transaction that has so many statements, or as it commits. */
  | { readonly do: 'crash'; readonly who: string; readonly server: number; readonly after: number }
  /** The file is replaced by its last copy. */
  | { readonly do: 'restore'; readonly server: number }
  /** The server ends the sessions of an instance, and says so or does not. */
  | { readonly do: 'terminate' | 'half-open'; readonly who: string; readonly server: number }
  | { readonly do: 'read-only' | 'timeouts' | 'collisions'; readonly server: number; readonly ms: number }

/** A fault of a database in words. */
export function tellSql(fault: SqlFault): string {
  const seconds = 'ms' in fault ? `${(fault.ms / 1000).toFixed(1)} s` : ''
  switch (fault.do) {
    case 'lock':
      return `another program locks the database for ${seconds}`
    case 'hold':
      return `${fault.who} gets no processor for ${seconds} while it holds the write lock`
    case 'full':
      return `the disk is full for ${seconds}`
    case 'io-errors':
      return `the disk fails for ${seconds}`
    case 'crash':
      return `${fault.who} will die within a transaction (${fault.after})`
    case 'terminate':
      return `the server ends the sessions of ${fault.who}`
    case 'half-open':
      return `the sessions of ${fault.who} are gone, and it does not know`
    case 'read-only':
      return `the database is read-only for ${seconds}`
    case 'timeouts':
      return `statements are cancelled for ${seconds}`
    case 'collisions':
      return `transactions are in each other's way for ${seconds}`
    case 'restore':
      return 'the file is replaced by its last copy'
  }
}
