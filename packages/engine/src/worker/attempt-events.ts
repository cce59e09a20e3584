import { TaskerError } from "../core/error.ts"
import type { Redactor } from "../core/redact.ts"
import type { JsonValue } from "../core/schema.ts"
import { didYouMean } from "../core/names.ts"
import { encodeBody } from "../registry/validate-event.ts"
import type { StoredEvent } from "../store/task.ts"
import type { ServedStep } from "./served-workflows.ts"

/** The most events that one attempt may publish. */
export const MAX_EVENTS_OF_ATTEMPT = 1_000

/** The events of one attempt, until its outcome takes them along. */
export interface AttemptEvents {
  readonly publish: (name: string, body: unknown) => void
  /** Ends the attempt: nothing can be published any more. Returns what was; `undefined` when nothing was. */
  end(): readonly StoredEvent[] | undefined
}

export interface AttemptEventsOptions {
  /** What all bodies together may take as JSON. */
  readonly maxBytes: number
  /** Hides secrets in the bodies: they are stored, and shown to whoever listens. */
  readonly redact: Redactor
}

export function createAttemptEvents(
  { publishable, step }: ServedStep,
  { maxBytes, redact }: AttemptEventsOptions,
): AttemptEvents {
  const { name: stepName } = step.spec
  let published: StoredEvent[] | undefined
  let bytesLeft = maxBytes
  let hasEnded = false

  function publish(name: string, body: unknown): void {
    if (hasEnded) throw afterTheEnd(name, stepName)
    const validate = publishable.get(name)
    if (validate === undefined) throw undeclared(name, stepName, [...publishable.keys()])
    if (published?.length === MAX_EVENTS_OF_ATTEMPT) throw tooMany(stepName)
    const json = encodeBody(name, validate(body), maxBytes)
    const bytes = Buffer.byteLength(json)
    if (bytes > bytesLeft) throw tooLarge(stepName, maxBytes)
    bytesLeft -= bytes
    published ??= []
    // As it will be read back; what the handler does to it later changes nothing.
    published.push({ name, payload: redact.json(JSON.parse(json) as JsonValue) })
  }

  return {
    publish,
    end() {
      hasEnded = true
      return published
    },
  }
}

function undeclared(name: unknown, step: string, declared: readonly string[]): TaskerError {
  const shown = typeof name === "string" ? `"${name}"` : `of type ${typeof name}`
  return new TaskerError(
    "TASKER_EVENT_INVALID",
    `event ${shown} is declared neither by step "${step}" nor by its workflow`,
    {
      hint: (typeof name === "string" ? didYouMean(name, declared) : undefined) ?? "declare it under `events`",
      details: { event: name, step, declared },
    },
  )
}

function afterTheEnd(name: string, step: string): TaskerError {
  const message = `event "${name}" was published after the attempt of step "${step}" had ended`
  return new TaskerError("TASKER_EVENT_INVALID", message, {
    hint: "await what publishes it, and stop when `signal` aborts",
    details: { event: name, step },
  })
}

function tooLarge(step: string, maxBytes: number): TaskerError {
  const message = `expected the events of an attempt of step "${step}" to take at most ${maxBytes} bytes of JSON together, got more`
  return new TaskerError("TASKER_EVENT_INVALID", message, {
    hint: "store the data elsewhere and publish a reference to it",
    details: { step, maxBytes },
  })
}

function tooMany(step: string): TaskerError {
  const message = `expected an attempt of step "${step}" to publish at most ${MAX_EVENTS_OF_ATTEMPT} events, got more`
  return new TaskerError("TASKER_EVENT_INVALID", message, {
    hint: "publish one event with a list",
    details: { step, maxEvents: MAX_EVENTS_OF_ATTEMPT },
  })
}
