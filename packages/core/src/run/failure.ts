/** What was thrown, in a box: it may be undefined. */
export interface Failure {
  readonly error: unknown
}
