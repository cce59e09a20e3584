// The public surface of @tasker/telemetry: every name, listed.

// Metrics
export { createMetrics, type Metrics } from "./metrics/create-metrics.ts"
export type { MetricsOptions } from "./metrics/metrics-options.ts"
