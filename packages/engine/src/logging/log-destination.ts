import { fstatSync, mkdirSync, openSync, writeSync } from "node:fs"
import { Socket } from "node:net"
import { dirname } from "node:path"
import { isatty, WriteStream } from "node:tty"
import { TaskerError } from "../core/error.ts"

/** A file descriptor, the path of a file, or a stream. */
export type LogDestination = number | string | NodeJS.WritableStream

/** Takes lines, each with its end. Never throws. */
export interface LineWriter {
  write(line: string): void
}

export interface OpenDestination extends LineWriter {
  readonly isTerminal: boolean
  /** Whether it shows colours, and nobody said that it shall not (`NO_COLOR`). */
  readonly hasColors: boolean
}

/** What may wait for a reader that is slow, in bytes. */
export const MAX_WAITING_BYTES = 4_194_304

export function isDestination(value: unknown): value is LogDestination {
  if (typeof value === "number") return Number.isInteger(value) && value >= 0
  if (typeof value === "string") return value !== "" && !value.includes("\0")
  return typeof value === "object" && value !== null && "write" in value && "on" in value
}

/**
 * Opens a destination that breaks nothing when it is slow or broken.
 *
 * A line is with the operating system when `write` returns, so a process that is killed has written all that it said.
 * Only a pipe whose reader is slow lets lines wait, and drops them when too much waits: the process goes on, for a worker
 * that waits loses its lease. (pino's own writer, sonic-boom 4.2, either blocks there or holds all lines back for a
 * moment, and when the disk is full it tries for ever as the process ends.)
 *
 * @param onDropped - told how many lines were dropped, once one can be written again
 * @throws TaskerError `TASKER_CONFIG_INVALID` when it cannot be opened
 */
export function openDestination(destination: LogDestination, onDropped: (count: number) => void): OpenDestination {
  if (typeof destination === "object") return openStream(destination, onDropped)
  const { fd, isFile } = openDescriptor(destination)
  if (isFile) return openFile(fd, onDropped)
  if (fd === 1) return openStream(process.stdout, onDropped)
  if (fd === 2) return openStream(process.stderr, onDropped)
  return openStream(isatty(fd) ? new WriteStream(fd).unref() : new Socket({ fd, writable: true }).unref(), onDropped)
}

/** Hands lines to the operating system, all at once. */
type WriteLines = (lines: readonly string[]) => void

/** What `inOneWrite` has gathered; `undefined` outside of it. */
let gathered: Map<WriteLines, string[]> | undefined

/** So many lines are written before all are there. */
const MAX_GATHERED_LINES = 100

/**
 * Writes the lines of `work` together, for a call of the system for each is a good part of what a line costs. Only for what runs
 * through without a handler in it, whose last line must not wait for anything that its process may not live to see.
 */
export function inOneWrite(work: () => void): void {
  if (gathered !== undefined) {
    work()
    return
  }
  gathered = new Map()
  try {
    work()
  } finally {
    const rest = gathered
    gathered = undefined
    for (const [write, lines] of rest) write(lines)
  }
}

function lineWriter(write: WriteLines): LineWriter["write"] {
  return (line) => {
    if (gathered === undefined) {
      write([line])
      return
    }
    const lines = gathered.get(write) ?? []
    lines.push(line)
    if (lines.length < MAX_GATHERED_LINES) {
      gathered.set(write, lines)
      return
    }
    gathered.delete(write)
    write(lines)
  }
}

/** The descriptor, and whether writing to it never waits for anybody. */
function openDescriptor(destination: number | string): { readonly fd: number; readonly isFile: boolean } {
  try {
    if (typeof destination === "string") mkdirSync(dirname(destination), { recursive: true })
    const fd = typeof destination === "string" ? openSync(destination, "a") : destination
    const stats = fstatSync(fd)
    return { fd, isFile: stats.isFile() || (stats.isCharacterDevice() && !isatty(fd)) }
  } catch (error) {
    const message = `cannot write the log to ${JSON.stringify(destination)}`
    throw new TaskerError("TASKER_CONFIG_INVALID", message, { cause: error })
  }
}

function openFile(fd: number, onDropped: (count: number) => void): OpenDestination {
  const dropped = countDropped(onDropped)
  return {
    write: lineWriter((lines) => {
      let rest = Buffer.from(lines.join(""))
      try {
        while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest))
        dropped.tell()
      } catch {
        // A full disk may have room later. A line that was cut is lost, too: its end is in the rest.
        dropped.add(rest.toString().split("\n").length - 1)
      }
    }),
    isTerminal: false,
    hasColors: false,
  }
}

function openStream(stream: NodeJS.WritableStream, onDropped: (count: number) => void): OpenDestination {
  const dropped = countDropped(onDropped)
  surviveErrors(stream)
  const isTerminal = "isTTY" in stream && stream.isTTY === true
  return {
    write: lineWriter((lines) => {
      try {
        if (!stream.writable) return
        if ("writableLength" in stream && Number(stream.writableLength) > MAX_WAITING_BYTES) {
          dropped.add(lines.length)
          return
        }
        stream.write(lines.join(""))
      } catch {
        // A stream of the user's. Lines that were gathered are written outside of the logger, which would have caught it.
        dropped.add(lines.length)
        return
      }
      dropped.tell()
    }),
    isTerminal,
    // Node's own answer, which heeds `NO_COLOR`, `FORCE_COLOR` and `TERM`, and is the same for every terminal.
    hasColors: isTerminal && WriteStream.prototype.hasColors(),
  }
}

const survivors = new WeakSet<NodeJS.WritableStream>()

/** Without a listener, a reader that goes away would end the process. One is enough, for node warns of many. */
function surviveErrors(stream: NodeJS.WritableStream): void {
  if (survivors.has(stream)) return
  survivors.add(stream)
  stream.on("error", () => {})
}

function countDropped(onDropped: (count: number) => void): { add(more: number): void; tell(): void } {
  let count = 0
  return {
    add: (more) => (count += more),
    tell() {
      if (count === 0) return
      const told = count
      count = 0
      onDropped(told)
    },
  }
}
