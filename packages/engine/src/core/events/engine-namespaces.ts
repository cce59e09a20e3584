import { EVENT_CATALOGUE } from "./catalogue.ts"

/** The first parts of the engine's events, sorted. No event of a user's begins with one. */
export const ENGINE_NAMESPACES: readonly string[] = [...new Set(Object.keys(EVENT_CATALOGUE).map(firstPart))].toSorted()

/** Whether the name of an event, or a pattern, begins as those of the engine do. */
export function isEngineNamespace(name: string): boolean {
  return ENGINE_NAMESPACES.includes(firstPart(name))
}

function firstPart(name: string): string {
  const dot = name.indexOf(".")
  return dot === -1 ? name : name.slice(0, dot)
}
