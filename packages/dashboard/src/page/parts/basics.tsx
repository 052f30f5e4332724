import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'
import { now } from '../api/live.ts'
import type { Data } from '../api/use-data.ts'
import { t } from '../i18n/index.ts'
import { href } from '../router.ts'
import { safe } from '../safe-text.ts'
import { clock, full, moment, relative, zoneFor } from '../time.ts'

/** A part of the page with its title; what acts on it stands at its right. */
export function Section(props: {
  title: string
  side?: ComponentChildren
  children: ComponentChildren
  class?: string
}) {
  const id = useId()
  return (
    <section class={`card ${props.class ?? ''}`} aria-labelledby={id}>
      <header>
        <h2 id={id}>{props.title}</h2>
        {props.side}
      </header>
      {props.children}
    </section>
  )
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>
}

/** What stands where data is still missing; undefined when it is there. */
export function Pending({ of }: { of: Data<unknown> }) {
  if (of.error && of.data === undefined) {
    return (
      <div class="empty trouble" role="alert">
        <b>{t('error.title')}</b>
        <span>{safe(of.error.message)}</span>
      </div>
    )
  }
  return of.loading ? (
    <div class="skeleton" aria-busy="true">
      <span class="hidden">{t('loading')}</span>
    </div>
  ) : null
}

/** An instant beside now, its full form in the title. */
export function Ago({ at, zone }: { at: string; zone?: string | undefined }) {
  return (
    <time dateTime={at} title={full(at, zoneFor(zone))}>
      {relative(at, now.value)}
    </time>
  )
}

export function When({ at, zone }: { at: string; zone?: string | undefined }) {
  const shown = zoneFor(zone)
  return (
    <time dateTime={at} title={full(at, shown)} class="num">
      {moment(at, now.value, shown)}
    </time>
  )
}

export function Clock({ at, zone }: { at: string; zone?: string | undefined }) {
  return (
    <time dateTime={at} title={full(at, zoneFor(zone))} class="num">
      {clock(at, zoneFor(zone))}
    </time>
  )
}

export function JobLink({ name }: { name: string }) {
  return (
    <a class="job" href={href(['jobs', name])}>
      <bdi>{safe(name)}</bdi>
    </a>
  )
}
