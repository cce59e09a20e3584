import { asItIs, boundedText } from "../bounded-text.ts"
import { describeValue } from "../describe-value.ts"
import type { Redact } from "../redact.ts"
import type { EventError } from "./event-payloads.ts"

const MAX_MESSAGE_LENGTH = 2_000

/**
 * What an event says of whatever was thrown. Never throws.
 *
 * @param redact - takes its secrets out, unless whoever is given the error does
 */
export function eventError(thrown: unknown, redact: Redact = asItIs): EventError {
  const shown = (text: unknown): string => boundedText(String(text), MAX_MESSAGE_LENGTH, redact)
  try {
    if (typeof thrown === "string") return { name: "Error", code: null, message: shown(thrown) }
    if (!(thrown instanceof Error)) return { name: "Error", code: null, message: shown(describeValue(thrown)) }
    const code = "code" in thrown ? thrown.code : undefined
    return {
      name: shown(thrown.name),
      code: typeof code === "string" || typeof code === "number" ? shown(code) : null,
      message: shown(thrown.message),
    }
  } catch {
    return { name: "Error", code: null, message: "something was thrown that cannot be read" }
  }
}
