import type { Enrolled, JobState } from '@escapement/core'
import { WATERMARK_AHEAD } from '@escapement/core/plugin'
import { isKept, moveStatements, renamesOf } from '@escapement/sql-fleet'
import type { Prepared } from '../file/prepared.ts'
import { moveCounters } from '../writer/counts.ts'
import { inFile } from '../writer/sql.ts'

/** Keeps jobs as a scheduler that starts has them, and tells how they stand. */
export function enrollAll(db: Prepared, jobs: readonly Enrolled[], now: number): JobState[] {
  for (const rename of renamesOf(jobs)) {
    const kept = isKept(rename)
    if (!db.get(inFile(kept.text), ...kept.values)) continue
    moveCounters(db, rename.from, rename.to)
    for (const { text, values } of moveStatements(rename)) db.run(inFile(text), ...values)
  }
  return jobs.map((job) => enroll(db, job, now))
}

/** Keeps a job as a scheduler that starts has it, and tells how it stands. */
function enroll(db: Prepared, { name, digest }: Enrolled, now: number): JobState {
  const row = db.get('SELECT * FROM jobs WHERE name = ?', name)
  if (!row) {
    db.run(
      'INSERT INTO jobs (name, digest, decided, paused) VALUES (?, ?, ?, ?)',
      name,
      digest,
      now,
      db.get('SELECT body FROM pauses WHERE job = ?', name)?.body ?? null,
    )
    return { decided: undefined }
  }
  if (row.digest !== digest) {
    db.run('UPDATE jobs SET digest = ?, decided = ? WHERE name = ?', digest, now, name)
    return { decided: undefined }
  }
  const ahead = Number(row.decided ?? 0) > now + WATERMARK_AHEAD
  // Ticks within a pause are not made up for, also if the pause ends while no instance lives.
  if (row.paused !== null || ahead) db.run('UPDATE jobs SET decided = ? WHERE name = ?', now, name)
  return { decided: row.decided === null ? undefined : Number(row.decided) }
}
