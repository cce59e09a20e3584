import { formatPath } from "../../core/problem.ts"
import type { Position, Segments } from "./located.ts"

/** One mistake in a workflow file, and where it is. */
export interface FileProblem extends LocatedProblem {
  readonly file: string
}

/** A mistake that does not know its file yet. */
export interface LocatedProblem {
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  /** As the keys are written in the file: `steps[2].depends_on[0]`; empty for the whole. */
  readonly path: string
  readonly message: string
  /** What to do about it, as a command. */
  readonly hint?: string
}

/** Says what is wrong at a place. */
export function problemAt(at: Position, segments: Segments, message: string, hint?: string): LocatedProblem {
  const located = { line: at.line, column: at.column, path: formatPath(segments), message }
  return hint === undefined ? located : { ...located, hint }
}

/** In the order of the file, each mistake once: every environment repeats those of what it does not override. */
export function sortProblems(problems: readonly LocatedProblem[]): readonly LocatedProblem[] {
  const once = new Map<string, LocatedProblem>()
  for (const problem of problems) {
    const key = `${problem.line}:${problem.column} ${problem.message}`
    if (!once.has(key)) once.set(key, problem)
  }
  return [...once.values()].toSorted((one, other) => one.line - other.line || one.column - other.column)
}
