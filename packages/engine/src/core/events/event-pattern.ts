import { describeValue } from "../describe-value.ts"
import { didYouMean } from "../names.ts"
import { EVENT_CATALOGUE } from "./catalogue.ts"
import { isEngineNamespace } from "./engine-namespaces.ts"

/**
 * What a subscriber asks for: the name of an event, or a wildcard. `*` stands for
 * one or more parts of a name: `step.*` is every event of steps, `*` is every
 * event, and `*.failed` is whatever failed.
 */
export function matchesPattern(pattern: string, name: string): boolean {
  return pattern.includes("*") ? matchesParts(pattern.split("."), name.split(".")) : pattern === name
}

function matchesParts(pattern: readonly string[], name: readonly string[]): boolean {
  const [first, ...rest] = pattern
  if (first === undefined) return name.length === 0
  const [part, ...others] = name
  if (part === undefined || part === "") return false
  if (first !== "*") return first === part && matchesParts(rest, others)
  // The star takes this part, and perhaps more.
  return matchesParts(rest, others) || matchesParts(pattern, others)
}

/** Whether a value can be a pattern: parts of names, joined by dots, with stars for parts. */
export function isEventPattern(value: unknown): value is string {
  return typeof value === "string" && /^(\*|[a-z][a-z0-9_]*)(\.(\*|[a-z][a-z0-9_]*))*$/.test(value)
}

/** Why nothing can ever be delivered for a pattern, and what may have been meant; `undefined` when something can. */
export function patternProblem(
  pattern: unknown,
): { readonly message: string; readonly hint?: string | undefined } | undefined {
  if (!isEventPattern(pattern)) {
    const rule = 'the name of an event, such as "step.completed", or a wildcard, such as "step.*"'
    return { message: `expected an event to be ${rule}, got ${describeValue(pattern)}` }
  }
  const names = Object.keys(EVENT_CATALOGUE)
  // Whatever else there may be is published by steps.
  if (!isEngineNamespace(pattern) || names.some((name) => matchesPattern(pattern, name))) return undefined
  return { message: `no event is called "${pattern}"`, hint: didYouMean(pattern, names) }
}
