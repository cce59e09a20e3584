import { describeEngineEvents, type EventDescription } from "./describe-events.ts"

/** Which events to search. What is left out does not matter. */
export interface EventSearch {
  readonly category?: EventDescription["category"] | undefined
  readonly origin?: EventDescription["origin"] | undefined
  /** What the names begin with, up to a dot: `step`, `observability.step`, `order`. */
  readonly namespace?: string | undefined
}

/**
 * Finds events by words: each must occur, in whatever case, in the name, in what is said of the event, or in the name of
 * a field of its payload. No words find everything.
 *
 * @param events - where to look. Default: the events of the engine
 *
 * @example
 * ```ts
 * searchEvents("retry").map(({ name }) => name)
 * searchEvents("", { category: "custom" }, tasker.events.catalogue())
 * ```
 */
export function searchEvents(
  words: string,
  { category, origin, namespace }: EventSearch = {},
  events: readonly EventDescription[] = describeEngineEvents(),
): readonly EventDescription[] {
  const wanted = words.toLowerCase().split(/\s+/)
  return events.filter(
    (event) =>
      (category === undefined || event.category === category)
      && (origin === undefined || event.origin === origin)
      && (namespace === undefined || event.name.startsWith(`${namespace}.`))
      && wanted.every((word) => textOf(event).includes(word)),
  )
}

function textOf({ name, category, when, payload }: EventDescription): string {
  return [name, category, when, ...fieldNames(payload)].join(" ").toLowerCase()
}

/** The names of the fields of a payload, in order. */
export function fieldNames(payload: EventDescription["payload"]): readonly string[] {
  const { properties } = payload
  return typeof properties === "object" && properties !== null ? Object.keys(properties) : []
}
