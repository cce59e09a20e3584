import type { TaskerEvent } from "../core/events/event-map.ts"
import type { Redactor } from "../core/redact.ts"

export function eventWithoutSecrets(event: TaskerEvent, redact: Redactor): TaskerEvent {
  return mayHoldSecrets(event.payload, redact) ? redact.json(event) : event
}

export function payloadWithoutSecrets<Payload extends object>(payload: Payload, redact: Redactor): Payload {
  return mayHoldSecrets(payload, redact) ? redact.json(payload) : payload
}

/** What these hold, the engine has checked or made: names, versions, states and its own ids. */
const PLAIN_TEXTS: ReadonlySet<string> = new Set([
  "taskId",
  "namespace",
  "workflow",
  "version",
  "step",
  "from",
  "to",
  "cause",
  "outcome",
])

/** What else an event of a step that went well says. */
const PLAIN_FIELDS: readonly string[] = [
  ...PLAIN_TEXTS,
  "correlationId",
  "attempt",
  "maxAttempts",
  "workerId",
  "durationMs",
]

/** By redactor: whether somebody said that one of these is a secret. */
const hidesPlainFields = new WeakMap<Redactor, boolean>()

function doesHidePlainFields(redact: Redactor): boolean {
  let hides = hidesPlainFields.get(redact)
  if (hides === undefined) {
    const sample = Object.fromEntries(PLAIN_FIELDS.map((key) => [key, "text"]))
    hides = redact.json(sample) !== sample
    hidesPlainFields.set(redact, hides)
  }
  return hides
}

/**
 * Whether there is a text that somebody wrote, or an object. Of a step that went well there is none, mostly, and to look
 * costs 0.3 µs, where it takes two to search all fields for secrets.
 */
function mayHoldSecrets(payload: object, redact: Redactor): boolean {
  if (doesHidePlainFields(redact)) return true
  // Every object has fields that can be read. Entries would be made as arrays first, which takes as long as the search.
  const fields = payload as Readonly<Record<string, unknown>>
  for (const key in fields) {
    const value = fields[key]
    if (typeof value === "object" && value !== null) return true
    if (typeof value !== "string" || PLAIN_TEXTS.has(key)) continue
    // The one text that many tasks have. Without one of its own, it is the task's id.
    if (key !== "correlationId" || (fields["taskId"] !== value && redact(value) !== value)) return true
  }
  return false
}
