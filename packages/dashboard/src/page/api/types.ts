/** What the API gives, by the names of the page. The shapes are those of the API. */
export type {
  AuditBody as AuditEntry,
  ErrorBody as Trouble,
  ExplainBody as Explanation,
  FleetEventBody as FleetEvent,
  IncidentBody as Incident,
  JobBody as JobDetail,
  JobBrief as JobView,
  LogBody as LogLine,
  MemberBody as Instance,
  OverviewBody as Overview,
  Page,
  PauseBody as Pause,
  RecentRun as Recent,
  RunBody as RunView,
  StatsBody as Counts,
  TickBody as Upcoming,
} from '@escapement/admin'
export type { State } from '@escapement/core'
