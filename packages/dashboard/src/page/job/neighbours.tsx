import type { JobDetail, JobView, Page } from '../api/types.ts'
import { useData } from '../api/use-data.ts'
import { t, word } from '../i18n/index.ts'
import { JobLink, Section } from '../parts/basics.tsx'
import { Mark } from '../parts/outcome.tsx'
import { safe } from '../safe-text.ts'

/** The place of a job among those it follows and those that follow it. */
export function Neighbours({ job }: { job: JobDetail }) {
  const all = useData<Page<JobView>>('jobs?limit=1000')
  if (job.follows.length === 0 && job.followers.length === 0) return null
  const stateOf = (name: string) => all.data?.items.find((each) => each.name === name)?.recent.at(-1)?.outcome
  const node = (name: string, on?: string) => (
    <li key={name}>
      <Mark state={stateOf(name) ?? 'due'} />
      <JobLink name={name} />
      {on && <small class="faint">{word('on', on)}</small>}
    </li>
  )
  return (
    <Section title={t('job.map')} class="map">
      <div class="flow">
        {job.follows.length > 0 && <ul>{job.follows.map((each) => node(each.job, each.on))}</ul>}
        <ul>
          <li class="here">
            <Mark state={stateOf(job.name) ?? 'due'} />
            <b>
              <bdi>{safe(job.name)}</bdi>
            </b>
            <small class="faint">{t('job.map.here')}</small>
          </li>
        </ul>
        {job.followers.length > 0 && <ul>{job.followers.map((name) => node(name))}</ul>}
      </div>
    </Section>
  )
}
