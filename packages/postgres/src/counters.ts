import { DAY_MS } from '@escapement/sql-fleet'

const HOUR_MS = 3_600_000

/** The time in an id, in ms. */
const MADE = "('x' || substr(id, 1, 8) || substr(id, 10, 4))::bit(48)::bigint"

/** The class of a length of time, as `classOf()` of the core tells it: each class reaches a tenth further than the one before. */
const CLASS = (ms: string) =>
  `CASE WHEN ${ms} > 1 THEN least(ceil(ln(${ms}) / ln(1.1::float8)), 254)::int ELSE 0 END`

/** Adds to the counter `c` that is there. */
const ADD = `
  ON CONFLICT (job, day, at) DO UPDATE SET body = (
    SELECT jsonb_object_agg(kind, n) FROM (
      SELECT kind, sum(n::bigint) AS n
      FROM (SELECT * FROM jsonb_each_text(c.body) UNION ALL SELECT * FROM jsonb_each_text(excluded.body)) AS both_of(kind, n)
      GROUP BY kind
    ) AS summed
  )`

/** Counts the rows of `ended (id, job, state, attempt, duration, late, ticks)`. */
const COUNT = `
  INSERT INTO $.counters AS c (job, day, at, body)
  SELECT job, 0, at, jsonb_object_agg(kind, n) FROM (
    SELECT who.job, made - made % ${HOUR_MS} AS at, kind, sum(ticks) AS n
    FROM (SELECT *, ${MADE} AS made FROM ended) e
    CROSS JOIN LATERAL (VALUES (e.job), ('')) AS who(job)
    CROSS JOIN LATERAL (VALUES (e.state),
      (CASE WHEN attempt > 0 AND duration IS NOT NULL THEN 'd' || ${CLASS('duration')} END),
      (CASE WHEN attempt > 0 AND duration IS NOT NULL THEN 'l' || ${CLASS('late')} END)) AS of(kind)
    WHERE kind IS NOT NULL GROUP BY 1, 2, 3
  ) AS counted GROUP BY job, at ORDER BY job, at
  ${ADD};`

/**
 * Runs are counted by the database, in the transaction in which they end: also those that another instance ends, and those
 * that the version before writes.
 */
export const COUNTERS: string = `
  CREATE FUNCTION $.count_added() RETURNS trigger LANGUAGE plpgsql AS $count$ BEGIN
    WITH ended AS (
      SELECT id, job, state, attempt, duration, late, coalesce(ticks, 1) AS ticks FROM added WHERE ended IS NOT NULL
    ) ${COUNT}
    RETURN NULL;
  END $count$;
  CREATE TRIGGER runs_added AFTER INSERT ON $.runs REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION $.count_added();

  CREATE FUNCTION $.count_changed() RETURNS trigger LANGUAGE plpgsql AS $count$ BEGIN
    WITH ended AS (
      SELECT a.id, a.job, a.state, a.attempt, a.duration, a.late,
        CASE WHEN b.ended IS NULL THEN coalesce(a.ticks, 1) ELSE coalesce(a.ticks, 1) - coalesce(b.ticks, 1) END AS ticks
      FROM after_it a JOIN before_it b USING (id)
      WHERE a.ended IS NOT NULL AND (b.ended IS NULL OR coalesce(a.ticks, 1) > coalesce(b.ticks, 1))
    ) ${COUNT}
    RETURN NULL;
  END $count$;
  CREATE TRIGGER runs_changed AFTER UPDATE ON $.runs REFERENCING OLD TABLE AS before_it NEW TABLE AS after_it
    FOR EACH STATEMENT EXECUTE FUNCTION $.count_changed();
`

/** Makes days of counters by hour that are older than `$1`, at most `$2` of them. What another instance does is left to it. */
export const COMPACT: string = `
  WITH old AS (
    SELECT job, at FROM $.counters WHERE day = 0 AND at < $1 ORDER BY at, job LIMIT $2 FOR UPDATE SKIP LOCKED
  ), gone AS (
    DELETE FROM $.counters c USING old WHERE c.job = old.job AND c.day = 0 AND c.at = old.at
    RETURNING c.job, c.at - c.at % ${DAY_MS} AS at, c.body
  ), added AS (
    INSERT INTO $.counters AS c (job, day, at, body)
    SELECT job, 1, at, jsonb_object_agg(kind, n) FROM (
      SELECT job, at, kind, sum(n::bigint) AS n FROM gone, jsonb_each_text(body) AS of(kind, n) GROUP BY job, at, kind
    ) AS counted GROUP BY job, at ORDER BY job, at
    ${ADD}
  )
  SELECT count(*)::int AS hours FROM gone`

/** Adds the counters of the job `$1` to those of `$2`. */
export const MOVE: string = `
  WITH gone AS (DELETE FROM $.counters WHERE job = $1 RETURNING day, at, body)
  INSERT INTO $.counters AS c (job, day, at, body) SELECT $2, day, at, body FROM gone ORDER BY day, at
  ${ADD}`
