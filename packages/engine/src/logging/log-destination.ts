import { fstatSync, mkdirSync, openSync } from "node:fs"
import { dirname } from "node:path"
import { isatty, WriteStream } from "node:tty"
import { TaskerError } from "../core/error.ts"
import { FileWriter, MAX_WAITING_BYTES } from "./file-writer.ts"

/** A file descriptor, the path of a file, or a stream. */
export type LogDestination = number | string | NodeJS.WritableStream

/** Takes lines, each with its end. Never throws and never waits. */
export interface LineWriter {
  write(line: string): void
}

export interface OpenDestination extends LineWriter {
  readonly isTerminal: boolean
  /** Whether it shows colours, and nobody said that it shall not (`NO_COLOR`). */
  readonly hasColors: boolean
}

export function isDestination(value: unknown): value is LogDestination {
  if (typeof value === "number") return Number.isInteger(value) && value >= 0
  if (typeof value === "string") return value !== "" && !value.includes("\0")
  return typeof value === "object" && value !== null && "write" in value && "on" in value
}

/**
 * Opens a destination that breaks nothing when it is slow or broken: lines wait, and are dropped when too much waits.
 *
 * @param onDropped - told how many lines were dropped, once there is room again
 * @throws TaskerError `TASKER_CONFIG_INVALID` when it cannot be opened
 */
export function openDestination(destination: LogDestination, onDropped: (count: number) => void): OpenDestination {
  return typeof destination === "object" ? openStream(destination, onDropped) : openFile(destination, onDropped)
}

function openFile(file: number | string, onDropped: (count: number) => void): OpenDestination {
  const fd = descriptorOf(file)
  const writer = new FileWriter(fd, onDropped)
  const isTerminal = isatty(fd)
  return { write: (line) => writer.write(line), isTerminal, hasColors: isTerminal && hasColors() }
}

function descriptorOf(file: number | string): number {
  try {
    if (typeof file === "string") {
      mkdirSync(dirname(file), { recursive: true })
      return openSync(file, "a")
    }
    fstatSync(file)
    return file
  } catch (error) {
    throw new TaskerError("TASKER_CONFIG_INVALID", `cannot write the log to ${JSON.stringify(file)}`, { cause: error })
  }
}

function openStream(stream: NodeJS.WritableStream, onDropped: (count: number) => void): OpenDestination {
  let dropped = 0
  // Without a listener, an error of the stream would end the process.
  stream.on("error", () => {})
  stream.on("drain", () => {
    if (dropped === 0) return
    const count = dropped
    dropped = 0
    onDropped(count)
  })
  const isTerminal = "isTTY" in stream && stream.isTTY === true
  return {
    write(line) {
      if (!stream.writable) return
      if ("writableLength" in stream && Number(stream.writableLength) > MAX_WAITING_BYTES) dropped += 1
      else stream.write(line)
    },
    isTerminal,
    hasColors: isTerminal && hasColors(),
  }
}

/** Node's own answer for a terminal, which heeds `NO_COLOR`, `FORCE_COLOR` and `TERM`, and needs no particular one. */
function hasColors(): boolean {
  return WriteStream.prototype.hasColors()
}
