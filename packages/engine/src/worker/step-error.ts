import { asItIs, boundedText } from "../core/bounded-text.ts"
import { isPermanentError, isRetryableError, isTaskerError } from "../core/error.ts"
import type { Redact } from "../core/redact.ts"

/** The largest message and stack that are stored, in characters. */
export const MAX_MESSAGE_LENGTH = 2_000
export const MAX_STACK_LENGTH = 8_000
/** The largest name, and the largest code. */
const MAX_NAME_LENGTH = 200

/** An error as it is stored with a step. */
export interface StepError {
  readonly name: string
  readonly code: string | null
  readonly message: string
  readonly stack: string | null
}

/** What to store of whatever a handler threw, without the secrets in it. */
export function stepError(thrown: unknown, redact: Redact = asItIs): StepError {
  const shown = (text: string, maxLength: number): string => boundedText(text, maxLength, redact)
  if (!(thrown instanceof Error)) {
    return { name: "Error", code: null, message: shown(describe(redact(thrown)), MAX_MESSAGE_LENGTH), stack: null }
  }
  const code = codeOf(thrown)
  return {
    // Not always text: anybody may have assigned to them.
    name: shown(describe(thrown.name), MAX_NAME_LENGTH),
    code: code === null ? null : shown(code, MAX_NAME_LENGTH),
    message: shown(describe(thrown.message), MAX_MESSAGE_LENGTH),
    stack: typeof thrown.stack === "string" ? shown(thrown.stack, MAX_STACK_LENGTH) : null,
  }
}

/** Whether another attempt may succeed. What a step returned or published and cannot be stored will not get better. */
export function isWorthRetrying(thrown: unknown): boolean {
  const isInvalid = isTaskerError(thrown, "TASKER_RESULT_INVALID") || isTaskerError(thrown, "TASKER_EVENT_INVALID")
  return !isPermanentError(thrown) && !isInvalid
}

/** How long the handler asked to wait; undefined when it did not. */
export function requestedDelayMs(thrown: unknown): number | undefined {
  return isRetryableError(thrown) ? thrown.retryAfterMs : undefined
}

function codeOf(error: Error): string | null {
  if (!("code" in error)) return null
  const { code } = error
  return typeof code === "string" || typeof code === "number" ? String(code) : null
}

function describe(thrown: unknown): string {
  try {
    return typeof thrown === "string" ? thrown : (JSON.stringify(thrown) ?? String(thrown))
  } catch {
    return Object.prototype.toString.call(thrown)
  }
}
