import { readFileSync } from "node:fs"
import { hostname } from "node:os"
import { pino, stdSerializers } from "pino"
import { checkOptions } from "../core/check-options.ts"
import { guardedLogger } from "../core/guarded-logger.ts"
import type { Logger, LogLevel } from "../core/logger.ts"
import { flagRule } from "../core/option-rules.ts"
import { createRedactor, type RedactOptions } from "../core/redact.ts"
import { redactRule } from "../core/redact-rules.ts"
import { isDestination, type LogDestination, openDestination } from "./log-destination.ts"
import { prettyLines } from "./pretty-lines.ts"

/** How lines are written. Every option has a default. */
export interface LoggerOptions {
  /** One JSON object a line, or lines for people. Default: `pretty` on a terminal, else `json`. */
  readonly format?: "json" | "pretty" | undefined
  /** The least urgent lines that are written. Default: `info`. */
  readonly level?: LogLevel | "silent" | undefined
  /**
   * A file descriptor, the path of a file that is appended to (made with its folder if it is not there), or a stream.
   * Lines wait for a reader that is slow; while more than 4 MiB wait, further ones are dropped and counted. A destination
   * that breaks loses lines, and harms nothing else. Default: 2, standard error.
   */
  readonly destination?: LogDestination | undefined
  /** Whether pretty lines have colours. Default: on a terminal that has them, unless `NO_COLOR` is set. */
  readonly colors?: boolean | undefined
  /**
   * Which secrets are taken out, beside those that always are. Of a logger that `createTasker` is given, only `keys`
   * count, beside those of Tasker's own `redact`, whose `allow` and `mask` hold for its lines. Default: none.
   */
  readonly redact?: RedactOptions | undefined
}

/**
 * Makes a logger on pino.
 *
 * Each line has `level`, `time` (ISO 8601), `pid`, `hostname`, `taskerVersion` and `message` beside its
 * own fields; a field of such a name gets a `_` behind it. An error in `err` or `error` is written with its type, message, stack and fields.
 *
 * @throws TaskerError `TASKER_CONFIG_INVALID` when an option is unknown or out of its range, or the destination cannot
 *   be opened
 *
 * @example
 * ```ts
 * const logger = createLogger({ level: "debug" })
 * const tasker = await createTasker({ workflows: [processOrder], logger, redact: { keys: ["iban"] } })
 * ```
 */
export function createLogger(options: LoggerOptions = {}): Logger {
  checkOptions("createLogger", options, RULES, "TASKER_CONFIG_INVALID")
  const { level = "info" } = options
  const destination = openDestination(options.destination ?? 2, (dropped) => {
    logger.warn({ dropped }, "the destination of the log was too slow, and lines were dropped")
  })
  const { format = destination.isTerminal ? "pretty" : "json" } = options
  const isColored = options.colors ?? destination.hasColors
  const logger = pino(
    {
      level,
      base: { pid: process.pid, hostname: hostname(), taskerVersion: taskerVersion() },
      messageKey: "message",
      timestamp: isoTime,
      formatters: { level: (label) => ({ level: label }), log: withOwnKeys },
      serializers: { err: writtenError, error: writtenError },
    },
    format === "json" ? destination : prettyLines(destination, isColored),
  )
  const guarded = guardedLogger(logger, createRedactor(options.redact))
  unguarded.set(guarded, { logger, keys: options.redact?.keys ?? [] })
  return guarded
}

/** What stands behind the loggers that are made here, and the secret keys that they were given. */
const unguarded = new WeakMap<Logger, { readonly logger: Logger; readonly keys: readonly string[] }>()

/**
 * The same logger, for the lines of whoever has rules of his own. One of {@link createLogger} is asked for its secret keys
 * and goes by those rules from then on: by its own, too, it would hide what they allow, and put its mask over theirs.
 */
export function loggerByRules(logger: Logger, rules: RedactOptions = {}): Logger {
  const own = unguarded.get(logger)
  if (own === undefined) return guardedLogger(logger, createRedactor(rules))
  return guardedLogger(own.logger, createRedactor({ ...rules, keys: [...(rules.keys ?? []), ...own.keys] }))
}

let lastTime = 0
let lastTimeText = ""

/** As pino's own, but many lines are written in one millisecond. */
function isoTime(): string {
  const time = Date.now()
  if (time !== lastTime) {
    lastTime = time
    lastTimeText = `,"time":"${new Date(time).toISOString()}"`
  }
  return lastTimeText
}

/** What every line has. */
const LINE_KEYS = ["level", "time", "pid", "hostname", "taskerVersion", "message"]

/** A field of the same name would be a second one in the line, and most readers take the last. */
function withOwnKeys(fields: Record<string, unknown>): Record<string, unknown> {
  if (!LINE_KEYS.some((key) => Object.hasOwn(fields, key))) return fields
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [LINE_KEYS.includes(key) ? `${key}_` : key, value]),
  )
}

/** What only resembles an error, such as that of an event, says what it wants to say. */
function writtenError(value: unknown): unknown {
  if (!(value instanceof Error)) return value
  // pino's own marks what it writes, which a frozen error does not let it.
  return Object.isExtensible(value) ? stdSerializers.err(value) : { message: value.message, stack: value.stack }
}

const RULES = {
  format: { rule: '"json" or "pretty"', accepts: (value: unknown) => value === "json" || value === "pretty" },
  level: {
    rule: '"debug", "info", "warn", "error" or "silent"',
    accepts: (value: unknown) => ["debug", "info", "warn", "error", "silent"].some((level) => level === value),
  },
  destination: { rule: "a file descriptor, a path or a writable stream", accepts: isDestination },
  colors: flagRule,
  redact: redactRule,
}

function taskerVersion(): string {
  // Its own package.json, which is in the package: there is a version.
  const own = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string }
  return own.version
}
