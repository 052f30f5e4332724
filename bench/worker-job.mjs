/** Computes for `run.data.ms`. */
export default (run) => {
  const end = performance.now() + run.data.ms
  let sum = 0
  while (performance.now() < end) for (let i = 0; i < 1e5; i++) sum += Math.sqrt(i)
  return sum
}
