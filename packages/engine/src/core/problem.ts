/** One thing that is wrong with what a user gave, and where. */
export interface Problem {
  /** As written in code: `steps[2].dependsOn[0]`; empty for the whole. */
  readonly path: string
  /** The same as a list of keys and indices, for whoever has to find the place in a file. */
  readonly segments: readonly (string | number)[]
  readonly message: string
  /** What to do about it, as a command. */
  readonly hint?: string
}

/** Describes what is wrong at the place that `segments` lead to. */
export function problem(segments: readonly (string | number)[], message: string, hint?: string): Problem {
  const base = { path: formatPath(segments), segments, message }
  return hint === undefined ? base : { ...base, hint }
}

/** `["steps", 2, "dependsOn", 0]` → `steps[2].dependsOn[0]`. Keys that are no identifiers are quoted. */
export function formatPath(segments: readonly (string | number)[]): string {
  let path = ""
  for (const segment of segments) {
    if (typeof segment === "number") path += `[${segment}]`
    else if (!/^[A-Za-z_$][\w$]*$/.test(segment)) path += `[${JSON.stringify(segment)}]`
    else path += path === "" ? segment : `.${segment}`
  }
  return path
}

/** The problems as lines of an error message, each with its path and its hint. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems
    .map(({ path, message, hint }) => {
      const where = path === "" ? "" : `${path}: `
      return `\n  ${where}${message}${hint === undefined ? "" : ` (${hint})`}`
    })
    .join("")
}
