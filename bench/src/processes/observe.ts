import { startTelemetry } from "@tasker/telemetry"
import type { ProcessObservability } from "./apis.ts"

/**
 * Turns on what observes the engine, at default settings. Called before the Tasker is made.
 *
 * @returns a function that ends it, called after the Tasker is closed
 */
export function observe({ parts, collectorUrl }: ProcessObservability): () => Promise<void> {
  const ends: (() => Promise<void>)[] = []
  if (parts.includes("traces")) {
    const telemetry = startTelemetry({ serviceName: "bench", otlp: { url: collectorUrl } })
    ends.push(() => telemetry.shutdown())
  }
  return async () => {
    for (const end of ends) await end()
  }
}
