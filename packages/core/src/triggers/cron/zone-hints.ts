import { ABBREVIATIONS, PLACES, UNEVEN, WINDOWS } from './zone-names.ts'

/** What to write instead of a name that is no IANA zone; undefined where nothing is known of it. */
export function zoneHint(name: string): string | undefined {
  const text = name.trim().replace(/\s+/g, ' ').slice(0, 60)
  const upper = text.toUpperCase()
  const meanings = Object.hasOwn(ABBREVIATIONS, upper) ? (ABBREVIATIONS[upper] as string).split(' ') : []
  if (meanings.length > 1) return `${text} is used in several places: write ${alternatives(meanings)}`
  if (meanings.length === 1) return `write ${quote(meanings[0] as string)}`
  const place = Object.entries(PLACES).find(([known]) => known.toUpperCase() === upper.replaceAll(' ', '_'))
  if (place) return `write ${quote(place[1])}`
  return offsetHint(upper) ?? windowsHint(upper)
}

function offsetHint(text: string): string | undefined {
  const found = /^(?:UTC|GMT|Z)?\s*([+-])(\d{1,2})(?::?([0-5]\d))?$/.exec(text)
  if (!found) return undefined
  const [, sign = '+', hours = '0', minutes = '00'] = found
  const hour = Number(hours)
  if (hour > 14) return undefined
  const offset = `${sign}${String(hour).padStart(2, '0')}:${minutes}`
  const at = `for clocks that are always at UTC${offset}`
  if (minutes !== '00') {
    const place = Object.hasOwn(UNEVEN, offset) ? UNEVEN[offset] : undefined
    return place && `write the zone of a place, such as ${quote(place)}`
  }
  // The signs of Etc are those of POSIX: they count to the west.
  const fixed = hour === 0 ? 'UTC' : `Etc/GMT${sign === '+' ? '-' : '+'}${hour}`
  return `write the zone of a place, such as "Asia/Shanghai", or ${quote(fixed)} ${at}`
}

function windowsHint(text: string): string | undefined {
  const found = /^(.*?) (?:STANDARD|DAYLIGHT|SUMMER) TIME( \(MEXICO\))?$/.exec(text)
  const bare = found ? `${found[1]}${found[2] ?? ''}` : text
  const known = Object.hasOwn(WINDOWS, bare) && (found || bare.startsWith('RUSSIA TIME ZONE'))
  if (known) return `write ${quote(WINDOWS[bare] as string)}`
  return found ? 'names of Windows are not understood: write the zone of a place' : undefined
}

/** Whether ICU takes it for the name of a zone, though the IANA database has none of this name. */
export function isForeign(name: string): boolean {
  const upper = name.toUpperCase()
  return (
    Object.hasOwn(ABBREVIATIONS, upper) ||
    /^([+-]|SYSTEMV\/)/.test(upper) ||
    upper === 'ETC/UNKNOWN' ||
    upper === 'UNKNOWN'
  )
}

function alternatives(names: readonly string[]): string {
  const quoted = names.map(quote)
  return `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
}

function quote(name: string): string {
  return `"${name}"`
}
