import { open, rename, rm } from "node:fs/promises"
import type { Writable } from "node:stream"
import type { WritableStream } from "node:stream/web"
import { TaskerError } from "../../core/error.ts"
import type { ExportTarget } from "./export-request.ts"
import { unlessAborted } from "./unless-aborted.ts"

/** What the bytes of one export go into. Each call ends before the next one begins. */
export interface ExportSink {
  /** Resolves once there is room for more. */
  write(chunk: Uint8Array): Promise<void>
  /** Everything is written. */
  finish(): Promise<void>
  /** The export failed: leaves nothing that looks whole. Never throws. */
  discard(error: Error): Promise<void>
}

/** What a file is called until it is whole, after its own name. */
export const PARTIAL_SUFFIX = ".partial"

/**
 * Opens what an export goes to.
 *
 * @param signal - ends each wait for a stream
 * @throws TaskerError `TASKER_EXPORT_FAILED` when it takes nothing
 */
export async function openSink(target: ExportTarget, exportId: string, signal: AbortSignal): Promise<ExportSink> {
  if (typeof target === "string") return await openFile(target, exportId)
  return "getWriter" in target ? openWebStream(target, signal) : openNodeStream(target, signal)
}

async function openFile(path: string, exportId: string): Promise<ExportSink> {
  const partial = `${path}.${exportId}${PARTIAL_SUFFIX}`
  const file = await refusedAs(path, async () => await open(partial, "wx"))
  return {
    write: async (chunk) => await refusedAs(path, async () => await file.writeFile(chunk)),
    async finish() {
      await refusedAs(path, async () => {
        // Or a crash could leave the new name with an old or empty file.
        await file.sync()
        await file.close()
        await rename(partial, path)
      })
    },
    async discard() {
      await file.close().catch(() => {})
      await rm(partial, { force: true }).catch(() => {})
    },
  }
}

function openNodeStream(stream: Writable, signal: AbortSignal): ExportSink {
  let failure = stream.destroyed ? new Error("it was closed before") : undefined
  let refuse = (_error: Error): void => {}
  // Both stay, also when all is over: an error that nobody listens to would end the process.
  stream.on("error", (error: Error) => (failure ??= error))
  // The response to a client that has gone closes without an error, and without calling its callbacks.
  stream.on("close", () => {
    failure ??= new Error("it was closed before the end")
    refuse(failure)
  })

  async function step(take: (done: (error?: Error | null) => void) => void): Promise<void> {
    if (failure !== undefined) throw failure
    const taken = new Promise<void>((resolve, reject) => {
      refuse = reject
      take((error) => (error === undefined || error === null ? resolve() : reject(error)))
    })
    await unlessAborted(taken, signal)
  }

  return {
    write: async (chunk) => await refusedAs("the stream", async () => await step((done) => stream.write(chunk, done))),
    async finish() {
      if (isTerminal(stream)) return
      await refusedAs("the stream", async () => await step((done) => stream.end(done)))
    },
    async discard(error) {
      if (!isTerminal(stream)) stream.destroy(error)
    },
  }
}

/** The streams of the process outlive an export. */
function isTerminal(stream: Writable): boolean {
  return stream === process.stdout || stream === process.stderr
}

function openWebStream(stream: WritableStream<Uint8Array>, signal: AbortSignal): ExportSink {
  if (stream.locked) {
    throw new TaskerError("TASKER_EXPORT_FAILED", "expected a stream that nobody else writes to, got a locked one", {
      hint: "release its writer first",
    })
  }
  const writer = stream.getWriter()
  writer.closed.catch(() => {}) // each call says it
  return {
    write: async (chunk) => await refusedAs("the stream", async () => await unlessAborted(writer.write(chunk), signal)),
    finish: async () => await refusedAs("the stream", async () => await unlessAborted(writer.close(), signal)),
    async discard(error) {
      // Not waited for: what never took a chunk may never let go of one.
      writer.abort(error).catch(() => {})
      writer.releaseLock()
    },
  }
}

/** Runs `work`; what the system or a stream says against it becomes an error that names the target. */
async function refusedAs<T>(target: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    throw new TaskerError("TASKER_EXPORT_FAILED", `${target} does not take the export: ${error.message}`, {
      cause: error,
      details: { target },
    })
  }
}
