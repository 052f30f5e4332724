import { sqlite } from '@escapement/sqlite'

export const make = sqlite
