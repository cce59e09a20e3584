import type { IncomingMessage, ServerResponse } from "node:http"
import { type QueueMeasure, type Tasker, TaskerError } from "@tasker/engine"
import { Registry } from "prom-client"
import { countEvents } from "./count-events.ts"
import { type Exposure, exposeCounter, exposeGauge, type Reading } from "./expose.ts"
import { type MetricEntry, METRICS, STEP_BUCKETS, TASK_BUCKETS } from "./metric-catalogue.ts"
import { checkMetricsOptions, type MetricsOptions } from "./metrics-options.ts"
import { createQueueReader } from "./queue-reader.ts"
import { createSeries, type Series } from "./series.ts"
import { startAtZero } from "./start-at-zero.ts"

/** The metrics of one Tasker in this process. */
export interface Metrics {
  /** Where they are, for metrics of your own beside them. */
  readonly registry: Registry
  /** All metrics of the registry, as Prometheus reads them. */
  metrics(): Promise<string>
  /** What to answer as `Content-Type`. */
  readonly contentType: string
  /**
   * Answers a request of `node:http`, whatever its path, with the metrics. Never rejects.
   *
   * @example
   * ```ts
   * createServer((request, response) => void metrics.handle(request, response)).listen(9464)
   * ```
   */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** Counts no more, and takes the metrics out of the registry. May be called twice. */
  stop(): void
}

/**
 * Counts and measures what this process does with its tasks, for Prometheus. `docs/reference/metrics.md` lists the metrics.
 *
 * @throws TaskerError `TASKER_OPTION_INVALID` when an option is unknown or out of its range, or when the registry has
 *   metrics of a Tasker already
 *
 * @example
 * ```ts
 * const tasker = await createTasker({ workflows: [processOrder] })
 * const metrics = createMetrics(tasker)
 * await tasker.startWorker()
 * console.log(await metrics.metrics())
 * ```
 */
export function createMetrics(tasker: Tasker, options: MetricsOptions = {}): Metrics {
  checkMetricsOptions(options)
  const registry = options.registry ?? new Registry()
  refuseSecond(registry)
  const exposure = createExposure(registry, options.seriesLimit ?? 2_000)
  const series = createSeries(exposure, {
    step: options.stepBuckets ?? STEP_BUCKETS,
    task: options.taskBuckets ?? TASK_BUCKETS,
  })
  exposeWorkers(exposure, tasker)
  if (options.queues ?? true) exposeQueues(exposure, tasker, series, options)
  let stops = [startAtZero(tasker, series), countEvents(tasker, series), watchDatabase(tasker, series)]
  return {
    registry,
    metrics: () => registry.metrics(),
    get contentType() {
      return registry.contentType
    },
    handle: (request, response) => answer(registry, request, response),
    stop() {
      // Another Tasker's metrics may be in the registry by the second time.
      if (stops.length === 0) return
      for (const stop of stops) stop()
      stops = []
      for (const { name } of Object.values<MetricEntry>(METRICS)) registry.removeSingleMetric(name)
    },
  }
}

function refuseSecond(registry: Registry): void {
  if (registry.getSingleMetric(METRICS.tasksCreated.name) === undefined) return
  throw new TaskerError("TASKER_OPTION_INVALID", "the registry has the metrics of a Tasker already", {
    hint: "give each Tasker a registry of its own, or stop the metrics that stand there",
    details: { argument: "registry" },
  })
}

function createExposure(registry: Registry, seriesLimit: number): Exposure {
  const unlimited = { registry, seriesLimit: Number.POSITIVE_INFINITY, onCapped: () => {} }
  const capped = exposeCounter(unlimited, METRICS.capped)
  return { registry, seriesLimit, onCapped: ({ name }) => void (capped.at(name).value += 1) }
}

function watchDatabase(tasker: Pick<Tasker, "onDatabaseCall">, series: Series): () => void {
  return tasker.onDatabaseCall(({ operation, durationMs, failed }) => {
    series.databaseCallDuration.at(operation, failed ? "failed" : "ok").observe(durationMs / 1_000)
  })
}

function exposeWorkers(exposure: Exposure, tasker: Pick<Tasker, "workers">): void {
  exposeGauge(exposure, METRICS.workerSlots, () => tasker.workers.map(({ name, concurrency }) => [[name], concurrency]))
  exposeGauge(exposure, METRICS.workerSlotsUsed, () =>
    tasker.workers.map(({ name, runningCount }) => [[name], runningCount]),
  )
}

function exposeQueues(exposure: Exposure, tasker: Tasker, series: Series, options: MetricsOptions): void {
  const readQueues = createQueueReader(tasker, {
    countLimit: options.queueCountLimit ?? 10_000,
    timeoutMs: options.queueTimeoutMs ?? 3_000,
    onFailure: () => void (series.collectFailures.at().value += 1),
  })
  const expose = (entry: MetricEntry, readingsOf: (queue: QueueMeasure) => readonly Reading[]) =>
    exposeGauge(exposure, entry, async () => (await readQueues()).flatMap(readingsOf))
  expose(METRICS.queueSteps, ({ name, readySteps, delayedSteps }) => [
    [[name, "ready"], readySteps],
    [[name, "delayed"], delayedSteps],
  ])
  expose(METRICS.queueOldestReady, ({ name, oldestReadySeconds }) => [[[name], oldestReadySeconds ?? 0]])
  expose(METRICS.queuePaused, ({ name, isPaused }) => [[[name], isPaused ? 1 : 0]])
  expose(METRICS.queueLimit, ({ name, maxRunning }) => (maxRunning === null ? [] : [[[name], maxRunning]]))
  expose(METRICS.queueLiveWorkers, ({ name, liveWorkers }) => [[[name], liveWorkers]])
}

async function answer(registry: Registry, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD" }).end()
      return
    }
    const text = await registry.metrics()
    response.writeHead(200, { "content-type": registry.contentType, "content-length": Buffer.byteLength(text) })
    response.end(request.method === "HEAD" ? undefined : text)
  } catch {
    // The application has begun an answer of its own: no other can be given, and that one will not be whole.
    if (response.headersSent) response.destroy()
    // A metric of the application's own: what it threw is not for whoever may scrape.
    else response.writeHead(500, { "content-type": "text/plain" }).end("a metric could not be collected\n")
  }
}
