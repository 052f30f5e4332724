import { useEffect } from 'preact/hooks'
import { ahead } from './api/live.ts'
import type { Overview } from './api/types.ts'
import { useData } from './api/use-data.ts'
import { AuditPage } from './fleet/audit.tsx'
import { IncidentsPage } from './fleet/incidents.tsx'
import { InstancesPage } from './fleet/instances.tsx'
import { t } from './i18n/index.ts'
import { JobPage } from './job/job.tsx'
import { JobsPage } from './jobs/jobs.tsx'
import { Keys } from './keys.tsx'
import { OverviewPage } from './overview/overview.tsx'
import { Empty } from './parts/basics.tsx'
import { Notice } from './parts/dialog.tsx'
import { Footer, Header, Lost } from './parts/shell.tsx'
import { route } from './router.ts'
import { RunPage } from './run/run.tsx'
import { RunsPage } from './runs/runs.tsx'

export function App() {
  const overview = useData<Overview>('overview')
  const server = overview.data?.now
  useEffect(() => {
    if (server) ahead.value = skew(Date.parse(server) - Date.now())
  }, [server])
  return (
    <>
      <a class="skip" href="#content" onClick={toContent}>
        {t('skip')}
      </a>
      <Header overview={overview.data} />
      <Lost />
      <main id="content" tabIndex={-1}>
        <Page overview={overview.data} />
      </main>
      <Footer />
      <Keys />
      <Notice />
    </>
  )
}

/** The way of an answer takes a while: what is less than two seconds is no difference of clocks. */
const skew = (ms: number) => (Math.abs(ms) < 2_000 ? 0 : ms)

function toContent(event: Event): void {
  event.preventDefault()
  document.getElementById('content')?.focus()
}

function Page({ overview }: { overview: Overview | undefined }) {
  const [page, id] = route.value.path
  const mayAct = overview?.role === 'operator'
  if (page === undefined) return <OverviewPage overview={overview} />
  if (page === 'jobs' && id) return <JobPage key={id} name={id} mayAct={mayAct} />
  if (page === 'jobs') return <JobsPage mayAct={mayAct} />
  if (page === 'runs' && id) return <RunPage key={id} id={id} mayAct={mayAct} />
  if (page === 'runs') return <RunsPage />
  if (page === 'incidents') return <IncidentsPage />
  if (page === 'instances') return <InstancesPage />
  if (page === 'audit') return <AuditPage />
  return <Empty>{t('error.gone')}</Empty>
}
