import { type Context, context } from "@opentelemetry/api"

type TroubleListener = (error: unknown) => void

/** As the SDK is: one for all Taskers of the process. */
const listeners = new Set<TroubleListener>()

/**
 * Calls `listener` the first time that the host's OpenTelemetry SDK throws: a broken one mostly throws at every step.
 *
 * @returns a function that ends it; it may be called twice
 */
export function onTracingTrouble(listener: TroubleListener): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** The SDK threw, which costs what it was to be told, and nothing else. */
export function tellTracingTrouble(error: unknown): void {
  const told = [...listeners]
  listeners.clear()
  for (const listener of told) listener(error)
}

/** Tells the SDK something. @returns undefined when it threw, too */
export function tryTracing<T>(tell: () => T): T | undefined {
  try {
    return tell()
  } catch (error) {
    tellTracingTrouble(error)
    return undefined
  }
}

/** Does some work inside a context, or outside of it where the SDK cannot enter it. */
export function runInside<T>(inside: Context, work: () => T): T {
  let isBegun = false
  try {
    return context.with(inside, () => {
      isBegun = true
      return work()
    })
  } catch (error) {
    if (isBegun) throw error
    tellTracingTrouble(error)
    return work()
  }
}
