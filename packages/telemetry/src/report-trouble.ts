import { diag, DiagLogLevel } from "@opentelemetry/api"
import { loggingErrorHandler, setGlobalErrorHandler } from "@opentelemetry/core"
import { createRedactor, type Logger } from "@tasker/engine"

/** The same trouble is told again only after so long, with how often it occurred: a collector may be away for days. */
const QUIET_MS = 60_000

/** How many troubles are remembered. There are a handful; but texts come from elsewhere. */
const REMEMBERED = 100

/** Logs a warning, and never throws. */
export type Warn = (fields: Readonly<Record<string, unknown>>, message: string) => void

/** A logger that throws costs its line. It is called from timers, where that would end the process. */
export function warnBy(logger: Logger): Warn {
  const redact = createRedactor()
  return (fields, message) => {
    try {
      logger.warn(redact({ component: "telemetry", ...fields }), message)
    } catch {
      // There is nobody left to tell.
    }
  }
}

/**
 * Lets the SDK's troubles be logged as warnings: that spans could not be exported, or were dropped.
 *
 * @param now - the clock, in milliseconds; only differences matter
 * @returns a function that ends it
 */
export function reportTrouble(warn: Warn, now: () => number): () => void {
  const told = new Map<string, { readonly at: number; count: number }>()

  function report(what: string, error: string): void {
    // "Dropped 17 spans" is the same trouble as "Dropped 18 spans".
    const trouble = `${what}: ${error.replaceAll(/\d+/g, "#")}`
    const before = told.get(trouble)
    const at = now()
    if (before !== undefined && at - before.at < QUIET_MS) {
      before.count += 1
      return
    }
    // Added anew, at the end: the first one of the map is the one that was told the longest time ago.
    told.delete(trouble)
    told.set(trouble, { at, count: 0 })
    const [oldest] = told.keys()
    if (told.size > REMEMBERED && oldest !== undefined) told.delete(oldest)
    warn({ error, ...(before === undefined ? {} : { timesSince: before.count + 1 }) }, what)
  }

  setGlobalErrorHandler((error) => report("spans could not be exported", messageOf(error)))
  const fromSdk = (message: string): void => report("the OpenTelemetry SDK warns", message)
  const quiet = (): void => {}
  diag.setLogger(
    { error: fromSdk, warn: fromSdk, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  )
  return () => {
    setGlobalErrorHandler(loggingErrorHandler())
    diag.disable()
  }
}

export function messageOf(error: unknown): string {
  if (Array.isArray(error)) return error.map(messageOf).join("; ")
  if (error instanceof AggregateError && error.message === "") return error.errors.map(messageOf).join("; ")
  return error instanceof Error ? error.message : String(error)
}
