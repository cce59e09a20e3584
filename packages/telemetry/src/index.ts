// The public surface of @tasker/telemetry: every name, listed.

// Metrics
export { createMetrics, type Metrics } from "./metrics/create-metrics.ts"
export type { MetricsOptions } from "./metrics/metrics-options.ts"

// Traces
export {
  type BatchOptions,
  type FlushOptions,
  type OtlpOptions,
  startTelemetry,
  type Telemetry,
  type TelemetryOptions,
} from "./start-telemetry.ts"
export type { SamplingOptions } from "./trace-sampler.ts"
