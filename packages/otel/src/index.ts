export type { OtelOptions } from './options.ts'
export { otel } from './otel.ts'
export { traceEnv } from './trace-env.ts'
