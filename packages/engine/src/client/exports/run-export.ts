import { randomUUID } from "node:crypto"
import { describeValue, messageOf } from "../../core/describe-value.ts"
import { isTaskerError, TaskerError } from "../../core/error.ts"
import { eventError } from "../../core/events/event-error.ts"
import type { ExportFacts } from "../../core/events/event-payloads.ts"
import type { ExportContext, Exporter, ExportRecord, ExportSummary } from "../../core/exporter.ts"
import type { ExportRequest } from "./export-request.ts"
import type { ExportRooms } from "./export-rooms.ts"
import { type ExportSink, openSink } from "./export-sink.ts"
import { findExporter } from "./find-exporter.ts"
import { openRecords } from "./open-records.ts"
import { unlessAborted } from "./unless-aborted.ts"
import { writeExport } from "./write-export.ts"

/** One export, from its request to its end. */
interface Run {
  readonly rooms: ExportRooms
  readonly request: ExportRequest
  readonly exporter: Exporter
  readonly facts: ExportFacts
  readonly startedAt: Date
  readonly startedMs: number
  readonly signal: AbortSignal
  /** Set once the records are open; from then on the exporter is told what becomes of it. */
  context?: ExportContext
  recordCount: number
  /** What reading the records came to, also when the exporter did not pass it on. */
  readingError?: unknown
}

/**
 * Exports what was asked for, and says so: by an event when it begins, and by one when it ends, whatever way.
 *
 * @param signal - the request's own, or that everything is closed
 */
export async function runExport(
  rooms: ExportRooms,
  request: ExportRequest,
  signal: AbortSignal,
): Promise<ExportSummary> {
  const exporter = findExporter(rooms.exporters, request)
  const facts = {
    exportId: randomUUID(),
    format: request.format.toLowerCase(),
    exporter: exporter.name,
    what: request.what,
  }
  const [startedAt, startedMs] = [new Date(), performance.now()]
  const run: Run = { rooms, request, exporter, facts, startedAt, startedMs, signal, recordCount: 0 }
  rooms.events.publish("tasker.telemetry.export_requested", facts)

  let sink: ExportSink | undefined
  try {
    // First, so that a stream is ended whatever fails: its reader would wait for ever.
    sink = await openSink(request.to, facts.exportId, signal)
    const pieces = await openPieces(run)
    const bytes = await writeExport(pieces, sink, signal, () => {
      // Or an exporter that swallows what reading threw would leave half an export that looks whole.
      if (run.readingError !== undefined) throw new Error("the records broke off", { cause: run.readingError })
    })
    return complete(run, bytes)
  } catch (error) {
    const reason = reasonOf(run, error)
    await sink?.discard(reason instanceof Error ? reason : new Error(describeValue(reason)))
    fail(run, reason)
    throw reason
  }
}

async function openPieces(run: Run): Promise<AsyncIterable<string | Uint8Array>> {
  const { rooms, request, exporter, facts, signal, startedAt } = run
  const { records, fields, labels } = await unlessAborted(read(run, openRecords(rooms, request, startedAt)), signal)
  const { exportId, format } = facts
  const context = { exportId, what: request.what, format, startedAt, fields, labels, signal }
  run.context = context
  tell(run, async () => await exporter.onExportRequested?.(context))
  const pieces: unknown = exporter.export(counted(run, records), request.options ?? {}, context)
  if (isAsyncIterable(pieces)) return pieces
  const got = describeValue(pieces)
  throw new TaskerError("TASKER_EXPORT_FAILED", `expected exporter "${exporter.name}" to give pieces, got ${got}`, {
    hint: "make `export` an async generator: `async *export(records) { … }`",
  })
}

/** What is in the pieces is checked as they come. */
function isAsyncIterable(value: unknown): value is AsyncIterable<string | Uint8Array> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value
}

async function* counted(run: Run, records: AsyncIterable<ExportRecord>): AsyncGenerator<ExportRecord> {
  const iterator = records[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await read(run, iterator.next())
      if (next.done === true) return
      run.recordCount += 1
      yield next.value
    }
  } finally {
    await iterator.return?.()
  }
}

/** Remembers what reading threw: it is not the exporter's fault. */
async function read<T>(run: Run, reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (error) {
    run.readingError = error
    throw error
  }
}

/** What the caller gets: the reason of the signal, an error of ours as it is, or any other with what threw it. */
function reasonOf(run: Run, error: unknown): unknown {
  if (run.signal.aborted) return run.signal.reason
  const { exporter, facts, readingError } = run
  const cause = readingError ?? error
  if (isTaskerError(cause)) return cause
  const what = messageOf(cause)
  const who = readingError === undefined ? `exporter "${exporter.name}" threw while it wrote` : "reading threw of"
  return new TaskerError("TASKER_EXPORT_FAILED", `${who} ${facts.what}: ${what}`, { cause, details: { ...facts } })
}

function complete(run: Run, bytes: number): ExportSummary {
  const { rooms, exporter, facts, recordCount } = run
  const summary = { ...facts, what: run.request.what, recordCount, bytes, durationMs: durationOf(run) }
  rooms.events.publish("tasker.telemetry.export_completed", summary)
  rooms.logger.debug({ ...summary }, "an export is complete")
  tell(run, async () => await exporter.onExportCompleted?.(summary))
  return summary
}

function fail(run: Run, reason: unknown): void {
  const { rooms, exporter, facts, context, recordCount } = run
  const durationMs = durationOf(run)
  const error = eventError(reason, rooms.redact)
  rooms.events.publish("tasker.telemetry.export_failed", { ...facts, durationMs, error })
  rooms.logger.warn({ ...facts, durationMs, recordCount, error }, "an export ended before it was whole")
  if (context !== undefined) tell(run, async () => await exporter.onExportFailed?.(reason, context))
}

function durationOf({ startedMs }: Run): number {
  return performance.now() - startedMs
}

/** Calls a callback of the exporter. Nobody waits for it, and what it throws harms nobody. */
function tell({ rooms, facts }: Run, callback: () => Promise<void>): void {
  callback().catch((thrown: unknown) => {
    const error = eventError(thrown, rooms.redact)
    rooms.logger.warn({ ...facts, error }, "a callback of an exporter threw")
  })
}
