import { isPermanentError, isRetryableError, isTaskerError } from "../core/error.ts"

/** The largest message and stack that are stored, in characters. */
export const MAX_MESSAGE_LENGTH = 2_000
export const MAX_STACK_LENGTH = 8_000

/** An error as it is stored with a step. */
export interface StepError {
  readonly name: string
  readonly code: string | null
  readonly message: string
  readonly stack: string | null
}

/** What to store of whatever a handler threw. */
export function stepError(thrown: unknown): StepError {
  if (!(thrown instanceof Error)) {
    return { name: "Error", code: null, message: bounded(describe(thrown), MAX_MESSAGE_LENGTH), stack: null }
  }
  return {
    // Not always text: anybody may have assigned to them.
    name: bounded(describe(thrown.name), 200),
    code: codeOf(thrown),
    message: bounded(describe(thrown.message), MAX_MESSAGE_LENGTH),
    stack: typeof thrown.stack === "string" ? bounded(thrown.stack, MAX_STACK_LENGTH) : null,
  }
}

/** Whether another attempt may succeed. What a step returned and cannot be stored will not get better. */
export function isWorthRetrying(thrown: unknown): boolean {
  return !isPermanentError(thrown) && !isTaskerError(thrown, "TASKER_RESULT_INVALID")
}

/** How long the handler asked to wait; undefined when it did not. */
export function requestedDelayMs(thrown: unknown): number | undefined {
  return isRetryableError(thrown) ? thrown.retryAfterMs : undefined
}

function codeOf(error: Error): string | null {
  if (!("code" in error)) return null
  const { code } = error
  return typeof code === "string" || typeof code === "number" ? bounded(String(code), 200) : null
}

function describe(thrown: unknown): string {
  try {
    return typeof thrown === "string" ? thrown : (JSON.stringify(thrown) ?? String(thrown))
  } catch {
    return Object.prototype.toString.call(thrown)
  }
}

// What jsonb refuses: the NUL character, and half of a surrogate pair, which the cut may leave too.
// oxlint-disable-next-line no-control-regex -- the control character is what is looked for
const NOT_STORABLE = /\u0000|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g

function bounded(text: string, maxLength: number): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
  return cut.replace(NOT_STORABLE, "\uFFFD")
}
