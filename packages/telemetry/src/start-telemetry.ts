import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto"
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources"
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { createLogger, type Logger } from "@tasker/engine"
import { registerSdk } from "./register-sdk.ts"
import { messageOf, reportTrouble, type Warn, warnBy } from "./report-trouble.ts"
import {
  checkFlushOptions,
  checkTelemetryOptions,
  DEFAULT_BATCH_SPANS,
  DEFAULT_OTLP_URL,
  tracesUrl,
} from "./telemetry-rules.ts"
import { createTraceSampler, type SamplingOptions } from "./trace-sampler.ts"

/** Where spans go. */
export interface OtlpOptions {
  /**
   * The collector, by OTLP over HTTP: its root, or the whole URL for traces, `…/v1/traces`.
   *
   * Default: `http://localhost:4318`.
   */
  readonly url?: string | undefined
  /** Sent with every export, such as a key of the collector's. Default: none. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** How long one export may take, with the attempts that it is given, in milliseconds. Default: 10,000. */
  readonly timeoutMs?: number | undefined
}

/** How spans are gathered before they are sent. */
export interface BatchOptions {
  /** The most spans of one export. Default: 512. */
  readonly maxSpans?: number | undefined
  /** The longest that an ended span waits for others to be sent with, in milliseconds. Default: 1,000. */
  readonly delayMs?: number | undefined
  /** How many ended spans are kept for a slow collector; those beyond are dropped, and the log says how many. Default: 8,192. */
  readonly queueSize?: number | undefined
}

export interface TelemetryOptions {
  /** What the spans say they come from, `service.name`. */
  readonly serviceName: string
  /** `service.version`. Default: none. */
  readonly serviceVersion?: string | undefined
  /** More of what the spans say they come from, such as `deployment.environment.name`. Default: nothing. */
  readonly resource?: Readonly<Record<string, string | number | boolean>> | undefined
  readonly otlp?: OtlpOptions | undefined
  readonly sampling?: SamplingOptions | undefined
  readonly batch?: BatchOptions | undefined
  /** Is told when spans cannot be exported. Default: `createLogger({ level: "warn" })`, to standard error. */
  readonly logger?: Logger | undefined
}

export interface FlushOptions {
  /** How long to wait for the collector, in milliseconds; spans that it has not taken by then may be lost. Default: 5,000. */
  readonly timeoutMs?: number | undefined
}

/** Tracing, as it was set up. */
export interface Telemetry {
  /** Sends what has ended. Never fails: what cannot be sent is logged. */
  forceFlush(options?: FlushOptions): Promise<void>
  /** Sends what has ended, then takes tracing down. Never fails. May be called twice. */
  shutdown(options?: FlushOptions): Promise<void>
}

/**
 * Sets OpenTelemetry up for this process: spans of the engine, and of whatever else uses `@opentelemetry/api`, go to a
 * collector by OTLP over HTTP. Call it before `createTasker`, and `shutdown` after `tasker.close()`.
 *
 * For a process without an SDK of its own. One that has one needs nothing: the engine's spans go there.
 *
 * A collector that is away harms nothing: spans are kept while there is room, then dropped, and the log says so.
 *
 * @throws TaskerError `TASKER_CONFIG_INVALID` when an option is unknown or out of its range, or an OpenTelemetry SDK is
 *   registered in this process already
 *
 * @example
 * ```ts
 * const telemetry = startTelemetry({ serviceName: "shop", otlp: { url: "http://localhost:4318" } })
 * const tasker = await createTasker({ workflows: [processOrder] })
 * await tasker.startWorker()
 * process.once("SIGTERM", async () => {
 *   await tasker.close()
 *   await telemetry.shutdown()
 * })
 * ```
 */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  checkTelemetryOptions(options)
  const now = (): number => performance.now()
  const warn = warnBy(options.logger ?? createLogger({ level: "warn" }))
  const exporter = createExporter(options.otlp ?? {})
  const provider = new BasicTracerProvider({
    resource: defaultResource().merge(resourceFromAttributes(resourceAttributes(options))),
    sampler: createTraceSampler(options.sampling ?? {}, now),
    spanProcessors: [createBatches(exporter, options)],
  })
  const unregister = registerSdk(provider)
  const stopReporting = reportTrouble(warn, now)
  let down: Promise<void> | undefined

  async function flush(): Promise<void> {
    await provider.forceFlush()
    // And what was under way before.
    await exporter.forceFlush()
  }

  async function takeDown(timeoutMs: number): Promise<void> {
    await inTime(provider.shutdown(), timeoutMs, warn)
    unregister()
    stopReporting()
  }

  return {
    async forceFlush(flushOptions = {}) {
      checkFlushOptions("forceFlush", flushOptions)
      await inTime(flush(), flushOptions.timeoutMs ?? DEFAULT_FLUSH_MS, warn)
    },
    async shutdown(flushOptions = {}) {
      checkFlushOptions("shutdown", flushOptions)
      await (down ??= takeDown(flushOptions.timeoutMs ?? DEFAULT_FLUSH_MS))
    },
  }
}

const DEFAULT_FLUSH_MS = 5_000
const DEFAULT_EXPORT_MS = 10_000

function createExporter({ url = DEFAULT_OTLP_URL, headers = {}, timeoutMs = DEFAULT_EXPORT_MS }: OtlpOptions) {
  return new OTLPTraceExporter({ url: tracesUrl(url), headers: { ...headers }, timeoutMillis: timeoutMs })
}

function createBatches(exporter: OTLPTraceExporter, { batch = {}, otlp = {} }: TelemetryOptions): BatchSpanProcessor {
  const { maxSpans = DEFAULT_BATCH_SPANS, delayMs = 1_000, queueSize } = batch
  return new BatchSpanProcessor(exporter, {
    maxExportBatchSize: maxSpans,
    scheduledDelayMillis: delayMs,
    maxQueueSize: queueSize ?? Math.max(8_192, maxSpans),
    exportTimeoutMillis: otlp.timeoutMs ?? DEFAULT_EXPORT_MS,
  })
}

function resourceAttributes({ serviceName, serviceVersion, resource = {} }: TelemetryOptions) {
  return {
    ...resource,
    "service.name": serviceName,
    ...(serviceVersion === undefined ? {} : { "service.version": serviceVersion }),
  }
}

/** Waits for work, but not for ever, and logs that it failed. */
async function inTime(work: Promise<void>, timeoutMs: number, warn: Warn): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      warn({ timeoutMs }, "the collector has not taken all spans in time")
      resolve()
    }, timeoutMs)
  })
  const done = work.catch((error: unknown) => {
    warn({ error: messageOf(error) }, "spans could not be exported")
  })
  await Promise.race([done, timeout])
  clearTimeout(timer)
}
