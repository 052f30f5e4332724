export { type OtelOptions, otel } from './otel.ts'
export { traceEnv } from './trace-env.ts'
