import { describeValue } from "../describe-value.ts"
import type { EventError } from "./event-payloads.ts"

const MAX_MESSAGE_LENGTH = 2_000

/** What an event says of whatever was thrown. Never throws. */
export function eventError(thrown: unknown): EventError {
  try {
    if (typeof thrown === "string") return { name: "Error", code: null, message: bounded(thrown) }
    if (!(thrown instanceof Error)) return { name: "Error", code: null, message: describeValue(thrown) }
    const code = "code" in thrown ? thrown.code : undefined
    return {
      name: bounded(String(thrown.name)),
      code: typeof code === "string" || typeof code === "number" ? bounded(String(code)) : null,
      message: bounded(String(thrown.message)),
    }
  } catch {
    return { name: "Error", code: null, message: "something was thrown that cannot be read" }
  }
}

function bounded(text: string): string {
  return text.length > MAX_MESSAGE_LENGTH ? `${text.slice(0, MAX_MESSAGE_LENGTH)}…` : text
}
