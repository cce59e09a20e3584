import type { WorkflowDefinition } from "./workflow.ts"

/**
 * A definition as text that is the same for the same definition: keys sorted,
 * no spaces. The database stores it and computes its checksum. Handlers and
 * config are no part of it.
 */
export function definitionJson(definition: WorkflowDefinition): string {
  return JSON.stringify(sortKeys(definition))
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== "object" || value === null) return value
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => [key, sortKeys(item)])
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
