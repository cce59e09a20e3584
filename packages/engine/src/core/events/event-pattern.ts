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

/** Whether a text can be a pattern: parts of names, joined by dots, with stars for parts. */
export function isEventPattern(text: string): boolean {
  return /^(\*|[a-z][a-z0-9_]*)(\.(\*|[a-z][a-z0-9_]*))*$/.test(text)
}
