import { TaskerError } from "../../core/error.ts"
import type { ExportSummary } from "../../core/exporter.ts"
import { assertExportRequest, type ExportRequest } from "./export-request.ts"
import type { ExportRooms } from "./export-rooms.ts"
import { runExport } from "./run-export.ts"

/** Exports that whoever made them closes. */
export interface Exports {
  run(request: ExportRequest): Promise<ExportSummary>
  /** Ends every export that runs, and lets none begin. May be called twice. */
  close(): Promise<void>
}

export function createExports(rooms: ExportRooms): Exports {
  const running = new Map<AbortController, Promise<unknown>>()
  let closed: TaskerError | undefined

  async function run(request: ExportRequest): Promise<ExportSummary> {
    if (closed !== undefined) throw closed
    assertExportRequest(request)
    const { signal } = request
    signal?.throwIfAborted()
    // Of its own: AbortSignal.any would leave something behind on a signal that outlives many exports.
    const ending = new AbortController()
    const end = (): void => ending.abort(signal?.reason)
    signal?.addEventListener("abort", end, { once: true })
    const done = runExport(rooms, request, ending.signal)
    running.set(
      ending,
      done.catch(() => {}),
    )
    try {
      return await done
    } finally {
      running.delete(ending)
      signal?.removeEventListener("abort", end)
    }
  }

  return {
    run,
    async close() {
      closed ??= new TaskerError("TASKER_CLOSED", "this Tasker is closed")
      for (const ending of running.keys()) ending.abort(closed)
      await Promise.all(running.values())
    },
  }
}
