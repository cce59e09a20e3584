import { isAlias, isCollection, isMap, isScalar } from "yaml"
import type { Node, Pair, YAMLMap, YAMLSeq } from "yaml"
import { type LocatedProblem, problemAt } from "./file-problem.ts"
import type { Located, LocatedEntry, LocatedMap, LocatedScalar, Position, Segments } from "./located.ts"

/** How deep a file may be nested. */
export const MAX_FILE_DEPTH = 100
/**
 * How many values a file may have once its aliases are followed. Nine lists of nine aliases each are a
 * billion values ("billion laughs"), from less than a kilobyte.
 */
export const MAX_FILE_VALUES = 100_000

export interface CopiedNodes {
  readonly root: Located | undefined
  /** Keys that are given twice or are no text. What stands next to them can be trusted. */
  readonly keyProblems: readonly LocatedProblem[]
  /** Aliases that mean nothing, or too much. */
  readonly aliasProblems: readonly LocatedProblem[]
}

/** Copies the parser's nodes into values that know their place. Aliases become what they stand for. */
export function copyNodes(root: Node, placeOf: (offset: number) => Position): CopiedNodes {
  const walk: Walk = {
    placeOf,
    anchors: new Map(),
    open: new Set(),
    remaining: MAX_FILE_VALUES,
    isTooMuch: false,
    keyProblems: [],
    aliasProblems: [],
  }
  return { ...walk, root: copy(walk, root, [], { line: 1, column: 1 }) }
}

interface Walk {
  readonly placeOf: (offset: number) => Position
  /**
   * What each anchor last stood before. The parser's own look-up walks the document once per alias, which
   * takes the square of the aliases.
   */
  readonly anchors: Map<string, Node>
  /** The lists and maps that are being copied, from the root down. */
  readonly open: Set<Node>
  remaining: number
  isTooMuch: boolean
  readonly keyProblems: LocatedProblem[]
  readonly aliasProblems: LocatedProblem[]
}

function copy(walk: Walk, node: Node | null, segments: Segments, otherwiseAt: Position): Located | undefined {
  const at = node?.range ? walk.placeOf(node.range[0]) : otherwiseAt
  if (walk.remaining <= 0) return giveUp(walk, at, `${MAX_FILE_VALUES} values, with what aliases stand for`)
  if (walk.open.size > MAX_FILE_DEPTH) return giveUp(walk, at, `${MAX_FILE_DEPTH} levels of nesting`)
  walk.remaining -= 1
  // `{ key }` and `? key` have no value at all.
  if (node === null) return { kind: "scalar", at, segments, value: null, source: "" }
  if (isAlias(node)) return copyAlias(walk, node.source, segments, at)
  if ((isScalar(node) || isCollection(node)) && node.anchor !== undefined) walk.anchors.set(node.anchor, node)
  if (isScalar(node)) {
    const value = plainScalar(node.value)
    return { kind: "scalar", at, segments, value, source: node.source ?? String(value) }
  }
  walk.open.add(node)
  // The parser makes no other collections than these two.
  const copied = isMap(node) ? copyMap(walk, node, segments, at) : copyList(walk, node as YAMLSeq<Node>, segments, at)
  walk.open.delete(node)
  return copied
}

function giveUp(walk: Walk, at: Position, limit: string): undefined {
  if (!walk.isTooMuch) walk.aliasProblems.push(problemAt(at, [], `expected at most ${limit}, got more`))
  walk.isTooMuch = true
  // Nothing is copied from here on, so this ends soon.
  walk.remaining = 0
}

function copyAlias(walk: Walk, name: string, segments: Segments, at: Position): Located | undefined {
  const target = walk.anchors.get(name)
  if (target !== undefined && !walk.open.has(target)) return copy(walk, target, segments, at)
  const problem =
    target === undefined
      ? problemAt(at, segments, `unknown alias "*${name}"`, `write "&${name}" before the value that it stands for`)
      : problemAt(at, segments, `alias "*${name}" stands inside the value that it stands for`)
  walk.aliasProblems.push(problem)
  return undefined
}

function copyList(walk: Walk, node: YAMLSeq<Node>, segments: Segments, at: Position): Located {
  const items = node.items.map((item, index) => copy(walk, item, [...segments, index], at))
  return { kind: "list", at, segments, items: items.filter((item) => item !== undefined) }
}

function copyMap(walk: Walk, node: YAMLMap, segments: Segments, at: Position): LocatedMap {
  const entries = new Map<string, LocatedEntry>()
  // Without type arguments the library says `unknown`; a parsed pair holds nodes.
  for (const pair of node.items as Pair<Node, Node | null>[]) {
    const keyAt = pair.key?.range ? walk.placeOf(pair.key.range[0]) : at
    const key = readKey(pair.key)
    const problem = keyProblem(key, keyAt, segments, entries)
    if (problem !== undefined) walk.keyProblems.push(problem)
    if (key === undefined) continue
    const value = copy(walk, pair.value, [...segments, key], keyAt)
    // The first of two keys stays, but the second was copied too, for the mistakes that are in it.
    if (value !== undefined && problem === undefined) entries.set(key, { keyAt, value })
  }
  return { kind: "map", at, segments, entries }
}

function keyProblem(
  key: string | undefined,
  keyAt: Position,
  segments: Segments,
  entries: ReadonlyMap<string, LocatedEntry>,
): LocatedProblem | undefined {
  if (key === undefined) return problemAt(keyAt, segments, "expected a key to be text, got a list or a map")
  const first = entries.get(key)
  if (first !== undefined) {
    const message = `key "${key}" is given twice, first on line ${first.keyAt.line}`
    return problemAt(keyAt, [...segments, key], message, "remove one of them")
  }
  if (key === "__proto__") return problemAt(keyAt, [...segments, key], 'the key "__proto__" is not allowed')
  if (key !== "<<") return undefined
  const hint = "write the keys out, or name the whole value by an alias"
  return problemAt(keyAt, [...segments, key], 'merge keys ("<<") are no part of YAML 1.2', hint)
}

function readKey(key: Node | null): string | undefined {
  if (key === null) return ""
  if (!isScalar(key)) return undefined
  // `200: ok` and `true: x` are keys as they are written.
  return typeof key.value === "string" ? key.value : (key.source ?? String(key.value))
}

/** The core schema gives these types, and text where a tag was not understood. */
function plainScalar(value: unknown): LocatedScalar["value"] {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : null
}
