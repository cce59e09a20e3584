import type { Stats } from "node:fs"
import { lstat, open, realpath, rename, rm, stat } from "node:fs/promises"
import type { Writable } from "node:stream"
import type { WritableStream } from "node:stream/web"
import { isTaskerError, TaskerError } from "../../core/error.ts"
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

/** An export may hold inputs. */
const NEW_FILE_MODE = 0o600
const PERMISSIONS = 0o777

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
  const { target, mode } = await refusedAs(path, async () => await resolveFile(path))
  const partial = `${target}.${exportId}${PARTIAL_SUFFIX}`
  const file = await refusedAs(path, async () => await open(partial, "wx", NEW_FILE_MODE))
  return {
    write: async (chunk) => await refusedAs(path, async () => await file.writeFile(chunk)),
    async finish() {
      await refusedAs(path, async () => {
        // By chmod: the umask would take something away from the mode of `open`.
        if (mode !== undefined) await file.chmod(mode)
        // Or a crash could leave the new name with an old or empty file.
        await file.sync()
        await file.close()
        await rename(partial, target)
      })
    },
    async discard() {
      await file.close().catch(() => {})
      await rm(partial, { force: true }).catch(() => {})
    },
  }
}

/** What the rename replaces: never a link, a device or a pipe, which would be gone after it. */
async function resolveFile(path: string): Promise<{ readonly target: string; readonly mode?: number }> {
  const entry = await lstat(path).catch(unlessMissing)
  if (entry === undefined) return { target: path }
  const old = await stat(path) // a link to nothing throws
  if (!old.isFile() || (await isOutput(old))) {
    throw new TaskerError("TASKER_EXPORT_FAILED", `expected a path of a file, got ${path}, which is no regular file`, {
      hint: "pass a stream: process.stdout, or createWriteStream(path) for a pipe or a device",
      details: { target: path },
    })
  }
  return { target: await realpath(path), mode: old.mode & PERMISSIONS }
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined
  throw error
}

/** Whether it is what the process writes its output to: /dev/stdout, where a shell redirected it to a file. */
async function isOutput(file: Stats): Promise<boolean> {
  for (const output of ["/dev/stdout", "/dev/stderr"]) {
    const own = await stat(output).catch(() => undefined)
    if (own !== undefined && own.ino === file.ino && own.dev === file.dev) return true
  }
  return false
}

function openNodeStream(stream: Writable, signal: AbortSignal): ExportSink {
  let failure = stream.destroyed ? new Error("it was closed before") : undefined
  let refuse = (_error: Error): void => {}
  let lastTaken: Promise<void> = Promise.resolve()
  const onError = (error: Error): void => void (failure ??= error)
  // The response to a client that has gone closes without an error, and without calling its callbacks.
  const onClose = (): void => {
    failure ??= new Error("it was closed before the end")
    refuse(failure)
  }
  // Both stay on a stream that ends with the export: an error that nobody listens to would end the process.
  stream.on("error", onError).on("close", onClose)

  /** For a stream that outlives the export. What it still says of the last chunk is heard first. */
  function release(): void {
    const remove = (): void => void stream.off("error", onError).off("close", onClose)
    void lastTaken.catch(() => {}).then(() => setImmediate(remove))
  }

  async function step(take: (done: (error?: Error | null) => void) => void): Promise<void> {
    if (failure !== undefined) throw failure
    const taken = new Promise<void>((resolve, reject) => {
      refuse = reject
      take((error) => (error === undefined || error === null ? resolve() : reject(error)))
    })
    lastTaken = taken
    await unlessAborted(taken, signal)
  }

  return {
    write: async (chunk) => await refusedAs("the stream", async () => await step((done) => stream.write(chunk, done))),
    async finish() {
      if (isTerminal(stream)) return release()
      await refusedAs("the stream", async () => await step((done) => stream.end(done)))
    },
    async discard(error) {
      if (isTerminal(stream)) release()
      else stream.destroy(error)
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
    if (!(error instanceof Error) || isTaskerError(error)) throw error
    throw new TaskerError("TASKER_EXPORT_FAILED", `${target} does not take the export: ${error.message}`, {
      cause: error,
      details: { target },
    })
  }
}
