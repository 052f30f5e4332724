import { at, type Trigger } from '@escapement/core'

const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July']
months.push('August', 'September', 'October', 'November', 'December')
const COLUMNS = 3
const WIDTH = 20

/** The local days of a year on which a trigger is due, as `2026-11-20`. */
export function daysOf(trigger: Trigger, year: number, timezone?: string): string[] {
  const midnight = (date: string) => at(date, { timezone }).next(new Date(-8.64e15)) as Date
  const days: string[] = []
  let day = `${year}-01-01`
  while (day.startsWith(`${year}-`)) {
    const start = midnight(day)
    const due = trigger.next(new Date(start.getTime() - 1))
    if (!due) break
    // Days are left behind one by one until the next one due: at most 366 steps in all.
    let tomorrow = follow(day)
    while (due >= midnight(tomorrow) && tomorrow.startsWith(`${year}-`)) {
      day = tomorrow
      tomorrow = follow(day)
    }
    if (due < midnight(tomorrow)) days.push(day)
    day = tomorrow
  }
  return days
}

/** Twelve months; days that are not due are dots. */
export function drawYear(year: number, days: readonly string[]): string {
  const due = new Set(days)
  const drawn = months.map((name, month) => drawMonth(year, month, name, due))
  const rows: string[] = []
  for (let i = 0; i < drawn.length; i += COLUMNS) {
    const side = drawn.slice(i, i + COLUMNS)
    const height = Math.max(...side.map((lines) => lines.length))
    for (let line = 0; line < height; line++) {
      rows.push(
        side
          .map((lines) => (lines[line] ?? '').padEnd(WIDTH))
          .join('   ')
          .trimEnd(),
      )
    }
    rows.push('')
  }
  return rows.slice(0, -1).join('\n')
}

function drawMonth(year: number, month: number, name: string, due: Set<string>): string[] {
  const length = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  // Weeks start on Monday.
  const blank = (new Date(Date.UTC(year, month, 1)).getUTCDay() + 6) % 7
  const cells: string[] = new Array(blank).fill('  ')
  for (let day = 1; day <= length; day++) {
    const date = new Date(Date.UTC(year, month, day)).toISOString().slice(0, 10)
    cells.push(due.has(date) ? String(day).padStart(2) : ' .')
  }
  const lines = [name.padStart(Math.floor((WIDTH + name.length) / 2)), 'Mo Tu We Th Fr Sa Su']
  for (let i = 0; i < cells.length; i += 7) lines.push(cells.slice(i, i + 7).join(' '))
  return lines
}

function follow(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10)
}
