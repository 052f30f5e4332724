import { cut, printable, redact } from '@escapement/core/plugin'

/** Why a Redis cannot be used, in words for who runs it. */
export interface Cause {
  /** Causes of one kind are one trouble, however they are worded. */
  readonly kind: string
  /** Completes `Redis cannot be used: …`. */
  readonly what: string
  /** What to do about it: one sentence. */
  readonly advice: string
  /** It stays until somebody does something. What comes with a restart or a failover goes by itself. */
  readonly lasting: boolean
  /** Says only that something failed: what is known better is kept, and what comes soon is waited for. */
  readonly vague?: boolean
}

type Row = readonly [pattern: RegExp, kind: string, what: string, advice: string, lasting?: boolean]

/** Matched against the code and the message of an error, in this order. */
const CAUSES: readonly Row[] = [
  [
    /WRONGPASS|invalid password|invalid username-password/,
    'password',
    'it refuses the password',
    'Check user and password in the URL or in the options of the client.',
    true,
  ],
  [
    /NOAUTH|Authentication required/i,
    'password',
    'it wants a password',
    'Give one in the URL or in the options of the client.',
    true,
  ],
  [
    /NOPERM|ACL failure|can't run this command|can't access|no permissions/i,
    'rights',
    'its user lacks a right',
    "Grant the user what the README of redis-lock lists under 'Rights'.",
    true,
  ],
  [
    /DB index|SELECT is not allowed/i,
    'db',
    'it has no such database',
    'Correct the number of the database in the URL or in the options of the client.',
    true,
  ],
  [
    /OOM command not allowed/,
    'memory',
    'its memory is full',
    'Give it more memory (maxmemory), or remove what else is stored in it.',
    true,
  ],
  [
    /MISCONF/,
    'snapshot',
    'it refuses writes because it cannot save its data',
    'Look at its log and its disk.',
    true,
  ],
  [
    /NOREPLICAS|NOGOODSLAVE/,
    'replicas',
    'it refuses writes because too few replicas follow it',
    'Look at its replicas (min-replicas-to-write).',
    true,
  ],
  [
    /protected mode|^DENIED/,
    'protected',
    'it is in protected mode and takes connections from its own machine only',
    'Give it a password, or set bind and protected-mode.',
    true,
  ],
  [
    /max number of clients/,
    'clients',
    'it has as many clients as it takes (maxclients)',
    'Raise maxclients, or find out who keeps connections.',
    true,
  ],
  [
    /unknown command|unknown_command/i,
    'command',
    'it does not know a command that is needed',
    'Use Redis 5 or newer, without a proxy that knows only some commands.',
    true,
  ],
  [
    /READONLY/,
    'replica',
    'it is a replica and takes no writes',
    'Connect to the master: by Sentinel, a Cluster client, or an address that follows it.',
  ],
  [/LOADING/, 'loading', 'it is loading its data', 'It answers when it has loaded them.'],
  [
    /MASTERDOWN/,
    'replica',
    'it is a replica without a master',
    'Connect to the master: by Sentinel, a Cluster client, or an address that follows it.',
  ],
  [
    /CLUSTERDOWN|slots cache|startup nodes|cluster/i,
    'cluster',
    'its Cluster is not whole',
    'Look at CLUSTER INFO: each slot needs a master that is up.',
  ],
  [/^BUSY/, 'busy', 'it is busy with a script', 'Look for a script that does not end (SCRIPT KILL).'],
  [
    /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME|certificate/i,
    'certificate',
    'its certificate is not accepted',
    'Give the client the authority that signed it (tls: { ca }), or the name it is made for (tls: { servername }).',
    true,
  ],
  [
    /EPROTO|ERR_SSL|ERR_TLS|wrong version number|SSL routines/i,
    'tls',
    'it does not speak TLS as expected',
    'rediss:// is for a port with TLS, redis:// for one without.',
    true,
  ],
  [
    /ENOTFOUND|EAI_AGAIN/,
    'away',
    'its name is not known',
    'Check the host in the URL or in the options of the client.',
  ],
  [
    /ECONN|ETIMEDOUT|EHOST|ENET|EADDR|connect /,
    'away',
    'it cannot be reached',
    'Check that it runs, and host, port, firewall and TLS (rediss://).',
  ],
]

const VAGUE = /Connection is closed|isn't writeable|max retries per request|aborted|ECONNRESET|EPIPE/i
const SILENT = /no answer|timed out/i
/** Where in a script an error was met tells nobody but us. */
const PLACE = / script: [0-9a-f]{40}, on @user_script.*$/s

/** What an error of the client, or of an answer, says. `clean` takes out secrets. */
export function causeOf(error: unknown, clean: (text: string) => string): Cause {
  const { code, message } = (typeof error === 'object' ? (error ?? {}) : {}) as Record<string, unknown>
  const text = typeof message === 'string' ? message : String(error)
  const detail = cut(printable(redact(clean(text.replace(PLACE, '')))), 300)
  const away = { kind: 'away', advice: 'Check that it runs and is not overloaded.', lasting: false }
  if (VAGUE.test(text)) return { ...away, what: `its connection was closed (${detail})`, vague: true }
  if (SILENT.test(text)) return { ...away, what: `it does not answer (${detail})` }
  const known = CAUSES.find(([pattern]) => pattern.test(`${String(code ?? '')} ${text}`.trimStart()))
  if (!known) {
    const advice = 'Look for this message in the documentation of Redis.'
    return { kind: detail, what: `it answers ${detail}`, advice, lasting: true }
  }
  const [, kind, what, advice, lasting = false] = known
  return { kind, what: `${what} (${detail})`, advice, lasting }
}
