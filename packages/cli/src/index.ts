export { type DescribeOptions, describe } from './describe.ts'
export { main, type Output } from './main.ts'
export { daysOf, drawYear } from './year.ts'
