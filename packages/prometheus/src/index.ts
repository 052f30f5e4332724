export type { PrometheusOptions } from './options.ts'
export { type PrometheusPlugin, prometheus } from './prometheus.ts'
