import { diag, DiagLogLevel } from "@opentelemetry/api"
import { loggingErrorHandler, setGlobalErrorHandler } from "@opentelemetry/core"
import type { Logger } from "@tasker/engine"

/** The same trouble is told again only after so long, with how often it occurred: a collector may be away for days. */
const QUIET_MS = 60_000

/**
 * Lets the SDK's troubles be logged as warnings: that spans could not be exported, or were dropped.
 *
 * @param now - the clock, in milliseconds; only differences matter
 * @returns a function that ends it
 */
export function reportTrouble(logger: Logger, now: () => number): () => void {
  const told = new Map<string, { at: number; count: number }>()

  function report(what: string, error: string): void {
    const before = told.get(error)
    const at = now()
    if (before !== undefined && at - before.at < QUIET_MS) {
      before.count += 1
      return
    }
    logger.warn({ error, ...(before === undefined ? {} : { timesSince: before.count + 1 }) }, what)
    told.set(error, { at, count: 0 })
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
