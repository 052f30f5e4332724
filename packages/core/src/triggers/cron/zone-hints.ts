/**
 * Abbreviations, each with the places that use it. ICU takes the first rows as names of zones, each for one place
 * that hardly anybody means; the others no Node takes.
 */
const abbreviations: Record<string, string> = {
  ACT: 'Australia/Darwin America/Rio_Branco',
  AET: 'Australia/Sydney',
  AGT: 'America/Argentina/Buenos_Aires',
  ART: 'America/Argentina/Buenos_Aires Africa/Cairo',
  AST: 'America/Halifax Asia/Riyadh America/Anchorage',
  BET: 'America/Sao_Paulo',
  BST: 'Europe/London Asia/Dhaka',
  CAT: 'Africa/Maputo',
  CNT: 'America/St_Johns',
  CST: 'America/Chicago Asia/Shanghai America/Havana',
  CTT: 'Asia/Shanghai',
  EAT: 'Africa/Nairobi',
  ECT: 'America/Guayaquil Europe/Paris',
  IET: 'America/Indiana/Indianapolis',
  IST: 'Asia/Kolkata Europe/Dublin Asia/Jerusalem',
  JST: 'Asia/Tokyo',
  MIT: 'Pacific/Apia',
  NET: 'Asia/Yerevan',
  NST: 'America/St_Johns Pacific/Auckland',
  PLT: 'Asia/Karachi',
  PNT: 'America/Phoenix',
  PRT: 'America/Puerto_Rico',
  PST: 'America/Los_Angeles Asia/Manila',
  SST: 'Pacific/Guadalcanal Pacific/Pago_Pago',
  VST: 'Asia/Ho_Chi_Minh',

  ACST: 'Australia/Adelaide Australia/Darwin',
  ADT: 'America/Halifax',
  AEDT: 'Australia/Sydney',
  AEST: 'Australia/Sydney Australia/Brisbane',
  AKST: 'America/Anchorage',
  AWST: 'Australia/Perth',
  BRT: 'America/Sao_Paulo',
  CDT: 'America/Chicago America/Havana',
  CEST: 'Europe/Berlin',
  EDT: 'America/New_York',
  EEST: 'Europe/Athens',
  HKT: 'Asia/Hong_Kong',
  KST: 'Asia/Seoul',
  MDT: 'America/Denver',
  MSK: 'Europe/Moscow',
  NZDT: 'Pacific/Auckland',
  NZST: 'Pacific/Auckland',
  PDT: 'America/Los_Angeles',
  SAST: 'Africa/Johannesburg',
  SGT: 'Asia/Singapore',
  WIB: 'Asia/Jakarta',
  Z: 'UTC',
}

/** Places that have no zone of their own. */
const places: Record<string, string> = {
  'Africa/Abuja': 'Africa/Lagos',
  'Africa/Cape_Town': 'Africa/Johannesburg',
  'America/Atlanta': 'America/New_York',
  'America/Boston': 'America/New_York',
  'America/Dallas': 'America/Chicago',
  'America/Houston': 'America/Chicago',
  'America/Miami': 'America/New_York',
  'America/Ottawa': 'America/Toronto',
  'America/Philadelphia': 'America/New_York',
  'America/Rio_de_Janeiro': 'America/Sao_Paulo',
  'America/San_Diego': 'America/Los_Angeles',
  'America/San_Francisco': 'America/Los_Angeles',
  'America/Seattle': 'America/Los_Angeles',
  'America/Washington': 'America/New_York',
  'Asia/Abu_Dhabi': 'Asia/Dubai',
  'Asia/Bangalore': 'Asia/Kolkata',
  'Asia/Beijing': 'Asia/Shanghai',
  'Asia/Chennai': 'Asia/Kolkata',
  'Asia/Delhi': 'Asia/Kolkata',
  'Asia/Guangzhou': 'Asia/Shanghai',
  'Asia/Hangzhou': 'Asia/Shanghai',
  'Asia/Hanoi': 'Asia/Ho_Chi_Minh',
  'Asia/Islamabad': 'Asia/Karachi',
  'Asia/Mumbai': 'Asia/Kolkata',
  'Asia/New_Delhi': 'Asia/Kolkata',
  'Asia/Osaka': 'Asia/Tokyo',
  'Asia/Peking': 'Asia/Shanghai',
  'Asia/Shenzhen': 'Asia/Shanghai',
  'Australia/Gold_Coast': 'Australia/Brisbane',
  'Europe/Barcelona': 'Europe/Madrid',
  'Europe/Bern': 'Europe/Zurich',
  'Europe/Cologne': 'Europe/Berlin',
  'Europe/Edinburgh': 'Europe/London',
  'Europe/Frankfurt': 'Europe/Berlin',
  'Europe/Geneva': 'Europe/Zurich',
  'Europe/Hamburg': 'Europe/Berlin',
  'Europe/Manchester': 'Europe/London',
  'Europe/Milan': 'Europe/Rome',
  'Europe/Munich': 'Europe/Berlin',
  'Europe/The_Hague': 'Europe/Amsterdam',
  'Pacific/Wellington': 'Pacific/Auckland',
}

/** Windows' names without "Standard Time", from Unicode's table of them. */
const windows: Record<string, string> = {
  AFGHANISTAN: 'Asia/Kabul',
  ALASKAN: 'America/Anchorage',
  ALEUTIAN: 'America/Adak',
  ALTAI: 'Asia/Barnaul',
  ARAB: 'Asia/Riyadh',
  ARABIAN: 'Asia/Dubai',
  ARABIC: 'Asia/Baghdad',
  ARGENTINA: 'America/Argentina/Buenos_Aires',
  ASTRAKHAN: 'Europe/Astrakhan',
  ATLANTIC: 'America/Halifax',
  'AUS CENTRAL': 'Australia/Darwin',
  'AUS CENTRAL W.': 'Australia/Eucla',
  'AUS EASTERN': 'Australia/Sydney',
  AZERBAIJAN: 'Asia/Baku',
  AZORES: 'Atlantic/Azores',
  BAHIA: 'America/Bahia',
  BANGLADESH: 'Asia/Dhaka',
  BELARUS: 'Europe/Minsk',
  BOUGAINVILLE: 'Pacific/Bougainville',
  'CANADA CENTRAL': 'America/Regina',
  'CAPE VERDE': 'Atlantic/Cape_Verde',
  CAUCASUS: 'Asia/Yerevan',
  'CEN. AUSTRALIA': 'Australia/Adelaide',
  CENTRAL: 'America/Chicago',
  'CENTRAL AMERICA': 'America/Guatemala',
  'CENTRAL ASIA': 'Asia/Bishkek',
  'CENTRAL BRAZILIAN': 'America/Cuiaba',
  'CENTRAL EUROPE': 'Europe/Budapest',
  'CENTRAL EUROPEAN': 'Europe/Warsaw',
  'CENTRAL PACIFIC': 'Pacific/Guadalcanal',
  'CENTRAL (MEXICO)': 'America/Mexico_City',
  'CHATHAM ISLANDS': 'Pacific/Chatham',
  CHINA: 'Asia/Shanghai',
  CUBA: 'America/Havana',
  DATELINE: 'Etc/GMT+12',
  'E. AFRICA': 'Africa/Nairobi',
  'E. AUSTRALIA': 'Australia/Brisbane',
  'E. EUROPE': 'Europe/Chisinau',
  'E. SOUTH AMERICA': 'America/Sao_Paulo',
  'EASTER ISLAND': 'Pacific/Easter',
  EASTERN: 'America/New_York',
  'EASTERN (MEXICO)': 'America/Cancun',
  EGYPT: 'Africa/Cairo',
  EKATERINBURG: 'Asia/Yekaterinburg',
  FIJI: 'Pacific/Fiji',
  FLE: 'Europe/Kyiv',
  GEORGIAN: 'Asia/Tbilisi',
  GMT: 'Europe/London',
  GREENLAND: 'America/Nuuk',
  GREENWICH: 'Atlantic/Reykjavik',
  GTB: 'Europe/Bucharest',
  HAITI: 'America/Port-au-Prince',
  HAWAIIAN: 'Pacific/Honolulu',
  INDIA: 'Asia/Kolkata',
  IRAN: 'Asia/Tehran',
  ISRAEL: 'Asia/Jerusalem',
  JORDAN: 'Asia/Amman',
  KALININGRAD: 'Europe/Kaliningrad',
  KOREA: 'Asia/Seoul',
  LIBYA: 'Africa/Tripoli',
  'LINE ISLANDS': 'Pacific/Kiritimati',
  'LORD HOWE': 'Australia/Lord_Howe',
  MAGADAN: 'Asia/Magadan',
  MAGALLANES: 'America/Punta_Arenas',
  MARQUESAS: 'Pacific/Marquesas',
  MAURITIUS: 'Indian/Mauritius',
  'MIDDLE EAST': 'Asia/Beirut',
  MONTEVIDEO: 'America/Montevideo',
  MOROCCO: 'Africa/Casablanca',
  MOUNTAIN: 'America/Denver',
  'MOUNTAIN (MEXICO)': 'America/Mazatlan',
  MYANMAR: 'Asia/Yangon',
  'N. CENTRAL ASIA': 'Asia/Novosibirsk',
  NAMIBIA: 'Africa/Windhoek',
  NEPAL: 'Asia/Kathmandu',
  'NEW ZEALAND': 'Pacific/Auckland',
  NEWFOUNDLAND: 'America/St_Johns',
  NORFOLK: 'Pacific/Norfolk',
  'NORTH ASIA': 'Asia/Krasnoyarsk',
  'NORTH ASIA EAST': 'Asia/Irkutsk',
  'NORTH KOREA': 'Asia/Pyongyang',
  OMSK: 'Asia/Omsk',
  PACIFIC: 'America/Los_Angeles',
  'PACIFIC SA': 'America/Santiago',
  'PACIFIC (MEXICO)': 'America/Tijuana',
  PAKISTAN: 'Asia/Karachi',
  PARAGUAY: 'America/Asuncion',
  QYZYLORDA: 'Asia/Qyzylorda',
  ROMANCE: 'Europe/Paris',
  'RUSSIA TIME ZONE 3': 'Europe/Samara',
  'RUSSIA TIME ZONE 10': 'Asia/Srednekolymsk',
  'RUSSIA TIME ZONE 11': 'Asia/Kamchatka',
  RUSSIAN: 'Europe/Moscow',
  'SA EASTERN': 'America/Cayenne',
  'SA PACIFIC': 'America/Bogota',
  'SA WESTERN': 'America/La_Paz',
  'SAINT PIERRE': 'America/Miquelon',
  SAKHALIN: 'Asia/Sakhalin',
  SAMOA: 'Pacific/Apia',
  'SAO TOME': 'Africa/Sao_Tome',
  SARATOV: 'Europe/Saratov',
  'SE ASIA': 'Asia/Bangkok',
  SINGAPORE: 'Asia/Singapore',
  'SOUTH AFRICA': 'Africa/Johannesburg',
  'SOUTH SUDAN': 'Africa/Juba',
  'SRI LANKA': 'Asia/Colombo',
  SUDAN: 'Africa/Khartoum',
  SYRIA: 'Asia/Damascus',
  TAIPEI: 'Asia/Taipei',
  TASMANIA: 'Australia/Hobart',
  TOCANTINS: 'America/Araguaina',
  TOKYO: 'Asia/Tokyo',
  TOMSK: 'Asia/Tomsk',
  TONGA: 'Pacific/Tongatapu',
  TRANSBAIKAL: 'Asia/Chita',
  TURKEY: 'Europe/Istanbul',
  'TURKS AND CAICOS': 'America/Grand_Turk',
  ULAANBAATAR: 'Asia/Ulaanbaatar',
  'US EASTERN': 'America/Indiana/Indianapolis',
  'US MOUNTAIN': 'America/Phoenix',
  VENEZUELA: 'America/Caracas',
  VLADIVOSTOK: 'Asia/Vladivostok',
  VOLGOGRAD: 'Europe/Volgograd',
  'W. AUSTRALIA': 'Australia/Perth',
  'W. CENTRAL AFRICA': 'Africa/Lagos',
  'W. EUROPE': 'Europe/Berlin',
  'W. MONGOLIA': 'Asia/Hovd',
  'WEST ASIA': 'Asia/Tashkent',
  'WEST BANK': 'Asia/Hebron',
  'WEST PACIFIC': 'Pacific/Port_Moresby',
  YAKUTSK: 'Asia/Yakutsk',
  YUKON: 'America/Whitehorse',
}

/** Places whose clocks differ from UTC by no whole hours. */
const uneven: Record<string, string> = {
  '-09:30': 'Pacific/Marquesas',
  '-03:30': 'America/St_Johns',
  '+03:30': 'Asia/Tehran',
  '+04:30': 'Asia/Kabul',
  '+05:30': 'Asia/Kolkata',
  '+05:45': 'Asia/Kathmandu',
  '+06:30': 'Asia/Yangon',
  '+08:45': 'Australia/Eucla',
  '+09:30': 'Australia/Darwin',
  '+10:30': 'Australia/Lord_Howe',
  '+12:45': 'Pacific/Chatham',
}

/** What to write instead of a name that is no IANA zone; undefined where nothing is known of it. */
export function zoneHint(name: string): string | undefined {
  const text = name.trim().replace(/\s+/g, ' ').slice(0, 60)
  const upper = text.toUpperCase()
  const meanings = Object.hasOwn(abbreviations, upper) ? (abbreviations[upper] as string).split(' ') : []
  if (meanings.length > 1) return `${text} is used in several places: write ${alternatives(meanings)}`
  if (meanings.length === 1) return `write ${quote(meanings[0] as string)}`
  const place = Object.entries(places).find(([known]) => known.toUpperCase() === upper.replaceAll(' ', '_'))
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
    const place = Object.hasOwn(uneven, offset) ? uneven[offset] : undefined
    return place && `write the zone of a place, such as ${quote(place)}`
  }
  // The signs of Etc are those of POSIX: they count to the west.
  const fixed = hour === 0 ? 'UTC' : `Etc/GMT${sign === '+' ? '-' : '+'}${hour}`
  return `write the zone of a place, such as "Asia/Shanghai", or ${quote(fixed)} ${at}`
}

function windowsHint(text: string): string | undefined {
  const found = /^(.*?) (?:STANDARD|DAYLIGHT|SUMMER) TIME( \(MEXICO\))?$/.exec(text)
  const bare = found ? `${found[1]}${found[2] ?? ''}` : text
  const known = Object.hasOwn(windows, bare) && (found || bare.startsWith('RUSSIA TIME ZONE'))
  if (known) return `write ${quote(windows[bare] as string)}`
  return found ? 'names of Windows are not understood: write the zone of a place' : undefined
}

/** Whether ICU takes it for the name of a zone, though the IANA database has none of this name. */
export function isForeign(name: string): boolean {
  const upper = name.toUpperCase()
  return (
    Object.hasOwn(abbreviations, upper) ||
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
