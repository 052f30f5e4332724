/** What the fleets over SQL are given, in ms. */
export const HEARTBEAT = 750
export const LEASE = 3000
