/** Where a thing stands in a file. Both count from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

export type Segments = readonly (string | number)[]

interface LocatedAt {
  readonly at: Position
  /** Keys and indexes from the root of the file. */
  readonly segments: Segments
}

export interface LocatedScalar extends LocatedAt {
  readonly kind: "scalar"
  readonly value: string | number | boolean | null
  /** As it is written, such as `1.20` where `value` is 1.2. */
  readonly source: string
}

export interface LocatedList extends LocatedAt {
  readonly kind: "list"
  readonly items: readonly Located[]
}

export interface LocatedMap extends LocatedAt {
  readonly kind: "map"
  readonly entries: ReadonlyMap<string, LocatedEntry>
}

export interface LocatedEntry {
  readonly keyAt: Position
  readonly value: Located
}

/** A value of a file that still knows where it was written. */
export type Located = LocatedScalar | LocatedList | LocatedMap

/** The value without its places. */
export function toPlain(node: Located): unknown {
  switch (node.kind) {
    case "scalar":
      return node.value
    case "list":
      return node.items.map(toPlain)
    case "map":
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, toPlain(entry.value)]))
  }
}

/** The value under `key`, or undefined when `node` is no map or has no such key. */
export function valueAt(node: Located | undefined, key: string): Located | undefined {
  return node?.kind === "map" ? node.entries.get(key)?.value : undefined
}

/** The items under `key`; none when there is no list. */
export function itemsAt(node: Located | undefined, key: string): readonly Located[] {
  const list = valueAt(node, key)
  return list?.kind === "list" ? list.items : []
}

/** The text under `key`, or undefined when there is none. */
export function textAt(node: Located | undefined, key: string): string | undefined {
  const value = valueAt(node, key)
  return value === undefined ? undefined : textOf(value)
}

/** The text that `node` is, or undefined when it is something else. */
export function textOf(node: Located): string | undefined {
  return node.kind === "scalar" && typeof node.value === "string" ? node.value : undefined
}
