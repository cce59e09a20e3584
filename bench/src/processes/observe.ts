import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createLogger, type Logger, type Tasker } from "@tasker/engine"
import { createMetrics, startTelemetry } from "@tasker/telemetry"
import type { ProcessObservability } from "./apis.ts"

/** What observes the engine in this process. */
export interface Observers {
  /** For the Tasker; undefined: its own default, which writes warnings alone. */
  readonly logger: Logger | undefined
  /** Observes it too, once it is made. */
  watch(tasker: Tasker): void
  /** Ends all of it, once the Tasker is closed. */
  end(): Promise<void>
}

/** How often metrics are read, as Prometheus does unless told otherwise, and sooner. */
const SCRAPE_MS = 5_000

/** Turns on what observes the engine, at default settings. */
export function observe({ parts, collectorUrl }: ProcessObservability): Observers {
  const ends: (() => Promise<void>)[] = []
  if (parts.includes("traces")) {
    const telemetry = startTelemetry({ serviceName: "bench", otlp: { url: collectorUrl } })
    ends.push(() => telemetry.shutdown())
  }
  let logger: Logger | undefined
  if (parts.includes("logs")) {
    const file = join(tmpdir(), `tasker-bench-${process.pid}.log`)
    logger = createLogger({ destination: file })
    ends.push(() => rm(file, { force: true }))
  }
  return {
    logger,
    watch(tasker) {
      if (!parts.includes("metrics")) return
      const metrics = createMetrics(tasker)
      const scrape = setInterval(() => void metrics.metrics(), SCRAPE_MS)
      ends.push(async () => {
        clearInterval(scrape)
        metrics.stop()
      })
    },
    async end() {
      for (const end of ends) await end()
    },
  }
}
