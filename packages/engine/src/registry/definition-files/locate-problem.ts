import type { Problem } from "../../core/problem.ts"
import { fileKeyOf, optionName, WORKFLOW } from "./file-keys.ts"
import { type LocatedProblem, problemAt } from "./file-problem.ts"
import { type Located, type Position, type Segments, textOf } from "./located.ts"

/**
 * Puts a problem that core found in a source to its place in the file, and says
 * it in the file's words: `max_attempts` for `maxAttempts`.
 */
export function locateProblem(root: Located, problem: Problem): LocatedProblem {
  const { at, segments, node } = findPlace(root, problem.segments)
  const hint = problem.hint ?? suggestValue(node, segments)
  return problemAt(at, segments, inFileWords(problem.message), hint === undefined ? undefined : inFileWords(hint))
}

/** As {@link locateProblem}, at the last key itself rather than at its value. */
export function locateKeyProblem(root: Located, problem: Problem): LocatedProblem {
  const map = findPlace(root, problem.segments.slice(0, -1)).node
  const key = String(problem.segments.at(-1))
  const keyAt = map?.kind === "map" ? map.entries.get(key)?.keyAt : undefined
  const located = locateProblem(root, problem)
  return keyAt === undefined ? located : { ...located, ...keyAt }
}

/** Whether the problem is about a value that is written, rather than about one that is missing. */
export function isAboutWritten(root: Located, problem: Problem): boolean {
  return findPlace(root, problem.segments).node !== undefined
}

interface Place {
  readonly at: Position
  /** As the file's keys are written. */
  readonly segments: Segments
  /** Undefined when nothing stands there; `at` is then the place of what it is missing from. */
  readonly node: Located | undefined
}

/** Walks down as far as the file goes. */
function findPlace(root: Located, segments: Segments): Place {
  let node = root
  for (const [depth, segment] of segments.entries()) {
    const child = childOf(node, segment)
    if (child === undefined) {
      const missing = segments.slice(depth).map((one) => (typeof one === "string" ? fileKeyOf(one) : one))
      return { at: node.at, segments: [...node.segments, ...missing], node: undefined }
    }
    node = child
  }
  return { at: node.at, segments: node.segments, node }
}

function childOf(node: Located, segment: string | number): Located | undefined {
  if (typeof segment === "number") return node.kind === "list" ? node.items[segment] : undefined
  // Inside the schema of an input the keys are the user's, and stand as they are.
  return node.kind === "map" ? (node.entries.get(segment) ?? node.entries.get(fileKeyOf(segment)))?.value : undefined
}

/** Names of options that are written in another way in files. */
const OPTION_NAMES: ReadonlySet<string> = new Set(optionNamesOf(WORKFLOW))

function optionNamesOf(map: typeof WORKFLOW): readonly string[] {
  return Object.entries(map.keys).flatMap(([key, { holds }]) => [
    ...(optionName(key) === key ? [] : [optionName(key)]),
    ...(holds === undefined ? [] : optionNamesOf(holds.map)),
  ])
}

function inFileWords(message: string): string {
  // Every second part is quoted text of the user's, which stays.
  const parts = message.split(/("(?:[^"\\]|\\.)*")/)
  return parts
    .map((part, index) =>
      index % 2 === 1 ? part : part.replaceAll(/\w+/g, (word) => (OPTION_NAMES.has(word) ? fileKeyOf(word) : word)),
    )
    .join("")
    .replace("a Standard Schema or a JSON Schema object", "a JSON Schema")
    .replace(" to be an object, ", " to be a map, ")
}

/** What often goes wrong when a value is written in YAML. */
function suggestValue(node: Located | undefined, segments: Segments): string | undefined {
  if (node?.kind !== "scalar") return undefined
  const key = String(segments.findLast((segment) => typeof segment === "string") ?? "")
  if (key === "version" && typeof node.value === "number") return 'write all three numbers, such as "1.2.0"'
  const text = textOf(node)
  if (text === undefined) return undefined
  if (/^(?:yes|on|y)$/i.test(text)) return "write true"
  if (/^(?:no|off|n)$/i.test(text)) return "write false"
  if (key.endsWith("_ms")) return suggestMs(text)
  return /^-?\d+(?:\.\d+)?$/.test(text) && key !== "name" ? "remove the quotes" : undefined
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, sec: 1_000, m: 60_000, min: 60_000, h: 3_600_000 }

function suggestMs(text: string): string | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? []
  if (amount === undefined) return undefined
  if (unit === "") return "remove the quotes"
  const ms = Number(amount) * (UNIT_MS[String(unit).toLowerCase()] ?? Number.NaN)
  return Number.isInteger(ms) ? `write milliseconds: ${ms}` : undefined
}
