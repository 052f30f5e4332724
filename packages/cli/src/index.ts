export { type DescribeOptions, describe } from './describe.ts'
export { main } from './main.ts'
export type { Output } from './settings.ts'
export { daysOf, drawYear } from './year.ts'
