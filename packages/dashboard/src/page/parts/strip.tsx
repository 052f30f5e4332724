import type { Recent } from '../api/types.ts'
import { t, word } from '../i18n/index.ts'
import { href } from '../router.ts'
import { full, span } from '../time.ts'
import { isBad } from './outcome.tsx'

/** The last runs of a job, oldest first: the height tells how long each took beside the others. */
export function Strip({ recent, zone }: { recent: readonly Recent[]; zone?: string | undefined }) {
  const longest = Math.max(1, ...recent.map((each) => each.duration ?? 0))
  const ok = recent.filter((each) => each.outcome === 'succeeded').length
  const label = t('strip.label', { n: recent.length, ok, bad: recent.length - ok })
  return (
    <span class="strip">
      <span class="hidden">{label}</span>
      {recent.map((each) => (
        <a
          key={each.id}
          href={href(['runs', each.id])}
          tabIndex={-1}
          aria-hidden="true"
          class={`o-${each.outcome}${isBad(each.outcome) ? ' bad' : ''}`}
          style={{ '--h': `${share(each.duration, longest)}%` }}
          title={title(each, zone)}
        />
      ))}
    </span>
  )
}

const share = (duration: number | undefined, longest: number) =>
  duration === undefined ? 30 : Math.round(34 + 66 * Math.sqrt(duration / longest))

function title(each: Recent, zone: string | undefined): string {
  const took = each.duration === undefined ? '' : ` · ${span(each.duration)}`
  return `${word('outcome', each.outcome)} · ${full(each.at, zone)}${took}`
}
