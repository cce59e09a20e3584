import { write, writeSync } from "node:fs"

/** What may wait for a destination that is slow, in bytes. */
export const MAX_WAITING_BYTES = 4_194_304
/** What one call writes at most, in characters; a pipe takes as much at a time. */
const BATCH_LENGTH = 65_536
/** A pipe that takes nothing at present is tried again after so long, in milliseconds. */
const RETRY_MS = 50
/** How often it is tried when the process ends. */
const MAX_LAST_TRIES = 10

/**
 * Writes lines to a file descriptor while the process goes on: a reader that stands still must not stop a worker, nor
 * cost it its lease. So lines wait, and are dropped when too much waits. What waits when the process ends is written
 * then.
 *
 * pino's own writer (sonic-boom 4.2) is not used: at the end of a process whose disk is full it tries for ever.
 */
export class FileWriter {
  readonly #fd: number
  readonly #onDropped: (count: number) => void
  #waiting: string[] = []
  #waitingBytes = 0
  #underWay: Buffer | undefined
  #droppedCount = 0
  #isClosed = false

  /** @param onDropped - told how many lines were dropped, once one was written again */
  constructor(fd: number, onDropped: (count: number) => void) {
    this.#fd = fd
    this.#onDropped = onDropped
  }

  write(line: string): void {
    if (this.#isClosed) return
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      this.#droppedCount += 1
      return
    }
    this.#waiting.push(line)
    this.#waitingBytes += Buffer.byteLength(line)
    if (this.#underWay === undefined) this.#writeNext()
  }

  /** The process ends: there is no later. */
  writeLast(): void {
    // The call that is under way is another thread's, which needs a moment to write before us.
    if (this.#underWay !== undefined) sleep(RETRY_MS / 5)
    let rest = Buffer.from(this.#waiting.join(""))
    this.#waiting = []
    for (let tries = 0; rest.length > 0 && tries < MAX_LAST_TRIES;) {
      try {
        rest = rest.subarray(writeSync(this.#fd, rest))
      } catch (error) {
        if (!mayPass(error)) return
        tries += 1
        sleep(RETRY_MS)
      }
    }
  }

  #writeNext(): void {
    const batch = this.#takeBatch()
    if (batch === undefined) {
      unfinished.delete(this)
      return
    }
    atExit(this)
    this.#writeOn(batch)
  }

  #takeBatch(): Buffer | undefined {
    let length = 0
    let count = 0
    for (const line of this.#waiting) {
      if (count > 0 && length + line.length > BATCH_LENGTH) break
      length += line.length
      count += 1
    }
    const lines = this.#waiting.splice(0, count)
    return count === 0 ? undefined : Buffer.from(lines.join(""))
  }

  #writeOn(bytes: Buffer): void {
    this.#underWay = bytes
    write(this.#fd, bytes, (error, writtenCount) => {
      if (error === null) this.#written(bytes, writtenCount)
      else this.#failed(bytes, error)
    })
  }

  #written(bytes: Buffer, count: number): void {
    this.#waitingBytes -= count
    if (count < bytes.length) {
      this.#writeOn(bytes.subarray(count))
      return
    }
    this.#underWay = undefined
    const dropped = this.#droppedCount
    this.#droppedCount = 0
    if (dropped > 0) this.#onDropped(dropped)
    if (this.#underWay === undefined) this.#writeNext()
  }

  #failed(bytes: Buffer, error: NodeJS.ErrnoException): void {
    if (mayPass(error)) {
      // A reader that stands still does not keep the process from ending.
      setTimeout(() => this.#writeOn(bytes), RETRY_MS).unref()
      return
    }
    this.#underWay = undefined
    this.#waitingBytes -= bytes.length
    // Nobody will ever read it again.
    if (error.code === "EPIPE") this.#close()
    // A full disk may have room later, for what is written then.
    else this.#droppedCount += bytes.toString().split("\n").length - 1
    this.#writeNext()
  }

  #close(): void {
    this.#isClosed = true
    this.#waiting = []
    this.#waitingBytes = 0
  }
}

const unfinished = new Set<FileWriter>()
let isListening = false

function atExit(writer: FileWriter): void {
  unfinished.add(writer)
  if (isListening) return
  isListening = true
  process.on("exit", () => {
    for (const each of unfinished) each.writeLast()
  })
}

function mayPass(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EAGAIN" || error.code === "EBUSY")
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
