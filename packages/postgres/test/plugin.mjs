import { postgres } from '@escapement/postgres'
import pg from 'pg'

export function make({ config, ...options }) {
  return postgres({ pool: new pg.Pool(config), ...options })
}
