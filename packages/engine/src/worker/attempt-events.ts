import { TaskerError } from "../core/error.ts"
import type { Redactor } from "../core/redact.ts"
import type { JsonValue } from "../core/schema.ts"
import { didYouMean } from "../core/names.ts"
import { encodeBody } from "../registry/validate-event.ts"
import type { StoredEvent } from "../store/task.ts"
import type { ServedStep } from "./served-workflows.ts"

/** The most events that one attempt may publish. */
export const MAX_EVENTS_OF_ATTEMPT = 1_000

export interface AttemptEventsOptions {
  /** What all bodies together may take as JSON. */
  readonly maxBytes: number
  /** Hides secrets in the bodies: they are stored, and shown to whoever listens. */
  readonly redact: Redactor
}

/** The events of one attempt, until its outcome takes them along. */
export class AttemptEvents {
  readonly #served: ServedStep
  readonly #options: AttemptEventsOptions
  #published: StoredEvent[] | undefined
  #bytesLeft: number
  #hasEnded = false

  constructor(served: ServedStep, options: AttemptEventsOptions) {
    this.#served = served
    this.#options = options
    this.#bytesLeft = options.maxBytes
  }

  /** For the handler, which may take it out of its context. */
  readonly publish = (name: string, body: unknown): void => {
    const { publishable, step } = this.#served
    const { maxBytes, redact } = this.#options
    const { name: stepName } = step.spec
    if (this.#hasEnded) throw afterTheEnd(name, stepName)
    const validate = publishable.get(name)
    if (validate === undefined) throw undeclared(name, stepName, [...publishable.keys()])
    if (this.#published?.length === MAX_EVENTS_OF_ATTEMPT) throw tooMany(stepName)
    const json = encodeBody(name, validate(body), maxBytes)
    const bytes = Buffer.byteLength(json)
    if (bytes > this.#bytesLeft) throw tooLarge(stepName, maxBytes)
    this.#bytesLeft -= bytes
    this.#published ??= []
    // As it will be read back; what the handler does to it later changes nothing.
    this.#published.push({ name, payload: redact.json(JSON.parse(json) as JsonValue) })
  }

  /** Ends the attempt: nothing can be published any more. Returns what was; `undefined` when nothing was. */
  end(): readonly StoredEvent[] | undefined {
    this.#hasEnded = true
    return this.#published
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
