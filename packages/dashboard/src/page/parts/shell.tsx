import { now, stream } from '../api/live.ts'
import type { Overview } from '../api/types.ts'
import { type Key, t } from '../i18n/index.ts'
import { href, route } from '../router.ts'
import { safe } from '../safe-text.ts'
import { language, theme, times } from '../settings.ts'
import { clock, span, zoneFor, zoneLabel } from '../time.ts'
import { Choice } from './choice.tsx'

const PAGES = ['jobs', 'runs', 'incidents', 'instances', 'audit'] as const

export function Header({ overview }: { overview: Overview | undefined }) {
  const here = route.value.path[0]
  return (
    <header class="top">
      <a class="brand" href="#/">
        <Wheel />
        <b>{safe(overview?.app ?? 'Escapement')}</b>
      </a>
      <nav aria-label={t('nav.main')}>
        <a href="#/" aria-current={here === undefined ? 'page' : undefined}>
          {t('nav.overview')}
        </a>
        {PAGES.map((page) => (
          <a key={page} href={href([page])} aria-current={here === page ? 'page' : undefined}>
            {t(`nav.${page}`)}
          </a>
        ))}
      </nav>
      <div class="state">
        {overview && <Badges overview={overview} />}
        <Stream />
      </div>
    </header>
  )
}

function Wheel() {
  const teeth = Array.from({ length: 12 }, (_, i) => i * 30)
  return (
    <svg viewBox="-16 -16 32 32" aria-hidden="true">
      <circle r="9" />
      {teeth.map((angle) => (
        <path key={angle} d="M-1.500-9l.3-4.500 2.700 4.500" transform={`rotate(${angle})`} />
      ))}
      <path d="M0-4.500V0l3.200 2" />
    </svg>
  )
}

function Badges({ overview }: { overview: Overview }) {
  const badges: Key[] = []
  if (!overview.scope.shared) badges.push('badge.process')
  if (!overview.scope.durable) badges.push('badge.memory')
  if (overview.role === 'viewer') badges.push('badge.viewer')
  return badges.map((badge) => (
    <span key={badge} class="note" title={t(`${badge}.why` as Key)}>
      {t(badge)}
    </span>
  ))
}

function Stream() {
  const { state } = stream.value
  if (state === 'lost') return null
  return (
    <span class={`stream ${state}`}>
      <i aria-hidden="true" />
      {t(`stream.${state}`)}
    </span>
  )
}

/** Says that what is shown may be old, for as long as no news come in. */
export function Lost() {
  const shown = stream.value
  if (shown.state !== 'lost') return null
  const at = `${clock(shown.since, zoneFor(), true)} ${zoneLabel()}`
  return (
    <div class="lost" role="alert">
      <b>{t('stream.lost', { at })}</b> {t('stream.retrying')} ({span(Math.max(0, now.value - shown.since))})
    </div>
  )
}

export function Footer() {
  return (
    <footer>
      <Choice
        label={t('times.label')}
        value={times.value}
        set={(value) => {
          times.value = value
        }}
        options={(['local', 'job', 'utc'] as const).map((each) => [each, t(`times.${each}`)])}
      />
      <span class="zone">{times.value === 'job' ? '' : zoneLabel()}</span>
      <span class="grow" />
      <Choice
        label={t('theme.label')}
        value={theme.value}
        set={(value) => {
          theme.value = value
        }}
        options={(['auto', 'light', 'dark'] as const).map((each) => [each, t(`theme.${each}`)])}
      />
      <Choice
        label={t('language.label')}
        value={language.value}
        set={(value) => {
          language.value = value
        }}
        options={[
          ['en', 'English'],
          ['zh', '中文'],
        ]}
      />
    </footer>
  )
}
