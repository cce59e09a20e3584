import { setImmediate } from "node:timers/promises"
import { describeValue } from "../../core/describe-value.ts"
import { TaskerError } from "../../core/error.ts"
import type { ExportSink } from "./export-sink.ts"
import { unlessAborted } from "./unless-aborted.ts"

/** How much text is written at once, in UTF-16 units. */
const CHUNK_LENGTH = 65_536

/**
 * Writes pieces as they come, and takes no further one while the sink has no room.
 *
 * @param assertWhole - throws when what was written lacks something, before it is taken for whole
 * @returns how many bytes were written
 * @throws the reason of the signal, without waiting for an exporter or a stream that hangs
 */
export async function writeExport(
  pieces: AsyncIterable<string | Uint8Array>,
  sink: ExportSink,
  signal: AbortSignal,
  assertWhole: () => void,
): Promise<number> {
  const chunks = toChunks(pieces)
  let bytes = 0
  try {
    for (;;) {
      // Pieces and streams that are always ready would else leave no turn to anybody, the signal included.
      await setImmediate()
      const next = await unlessAborted(chunks.next(), signal)
      if (next.done === true) break
      await sink.write(next.value)
      bytes += next.value.byteLength
    }
  } catch (error) {
    // Lets the exporter clean up. One that hangs does not hear it, so nobody waits.
    chunks.return(undefined).catch(() => {})
    throw error
  }
  assertWhole()
  await sink.finish()
  return bytes
}

/** Puts small text together: a write for each row would cost more than the row. */
async function* toChunks(pieces: AsyncIterable<string | Uint8Array>): AsyncGenerator<Uint8Array, undefined> {
  let text = ""
  for await (const piece of pieces) {
    if (typeof piece === "string") {
      text += piece
      if (text.length < CHUNK_LENGTH) continue
      const whole = endsInPair(text) ? text.length - 1 : text.length
      yield Buffer.from(text.slice(0, whole))
      text = text.slice(whole)
    } else if (piece instanceof Uint8Array) {
      if (text !== "") yield Buffer.from(text)
      text = ""
      yield piece
    } else {
      throw new TaskerError("TASKER_EXPORT_FAILED", `expected text or bytes, got ${describeValue(piece)}`)
    }
  }
  if (text !== "") yield Buffer.from(text)
  return undefined
}

/** Whether the second half of a character's surrogate pair may be in the next piece. */
function endsInPair(text: string): boolean {
  const last = text.charCodeAt(text.length - 1)
  return last >= 0xd800 && last <= 0xdbff
}
