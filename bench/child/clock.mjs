// Loaded before all else: a Date whose wall clock can be moved, as an operator or NTP would move it.
const RealDate = Date
globalThis.clockOffset = 0
globalThis.Date = class MovedDate extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + globalThis.clockOffset)
    else super(...args)
  }
  static now() {
    return RealDate.now() + globalThis.clockOffset
  }
}
