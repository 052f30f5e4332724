import type { Enrolled, JobState } from '@escapement/core'
import { WATERMARK_AHEAD } from '@escapement/core/plugin'
import type { Prepared } from './prepared.ts'

/** Keeps a job as a scheduler that starts has it, and tells how it stands. */
export function enroll(db: Prepared, { name, digest }: Enrolled, now: number): JobState {
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
