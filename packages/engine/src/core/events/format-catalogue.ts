import { describeEngineEvents, type EventDescription } from "./describe-events.ts"
import { fieldNames } from "./search-events.ts"

/**
 * Events as text for a terminal: by category, each with what it says and what it carries.
 *
 * @param events - Default: the events of the engine
 */
export function formatCatalogue(events: readonly EventDescription[] = describeEngineEvents()): string {
  const categories = [...new Set(events.map(({ category }) => category))]
  return categories
    .map((category) => {
      const own = events.filter((event) => event.category === category)
      return `${category} (${own.length})\n${own.map(formatEvent).join("")}`
    })
    .join("\n")
}

function formatEvent({ name, origin, when, payload, declaredBy }: EventDescription): string {
  const by = declaredBy.map(({ namespace, name: workflow, version, step }) => {
    return `${namespace}/${workflow}@${version}${step === null ? "" : ` ${step}`}`
  })
  return [
    `  ${name}`,
    `    ${when}`,
    `    ${origin === "transition" ? "in the feed, and in the process that did it" : "in the process where it happens"}`,
    `    ${fieldNames(payload).join(", ")}`,
    ...(by.length === 0 ? [] : [`    declared by ${by.join(", ")}`]),
    "",
  ].join("\n")
}
