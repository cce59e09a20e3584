import { describeValue } from "../../core/describe-value.ts"
import { TaskerError } from "../../core/error.ts"
import { isClass, isHolder } from "../check-members.ts"

/** What is looked for among the exports of a module. */
export interface Wanted {
  /** In the singular: `plugin`. */
  readonly kind: string
  /** What makes one, to follow "expected an export with". */
  readonly members: string
  /** Whether an export is meant to be one, well-shaped or not. */
  readonly isMeant: (value: object) => boolean
}

export interface FoundExport {
  /** `null` where a file is one thing, as a YAML file. */
  readonly exportName: string | null
  readonly value: object
}

/**
 * The exports of a module that are meant as what is wanted, each once, sorted by name. Those of CommonJS modules, and
 * of a default export that is a record, count as well.
 */
export function findExports(exports: Readonly<Record<string, unknown>>, wanted: Wanted): readonly FoundExport[] {
  const found = new Map<object, string>()
  for (const [name, value] of listExports(exports, wanted)) {
    if (isHolder(value) && wanted.isMeant(value) && !found.has(value)) found.set(value, name)
  }
  return [...found].map(([value, exportName]) => ({ exportName, value }))
}

/** Says that a module exports none of what is wanted, and what it exports instead. */
export function nothingFound(file: string, exports: Readonly<Record<string, unknown>>, wanted: Wanted): TaskerError {
  const names = listExports(exports, wanted).map(([name, value]) => `${name} (${describeExport(value)})`)
  const got = names.length === 0 ? "nothing" : names.join(", ")
  const { kind, members } = wanted
  return new TaskerError(
    "TASKER_DISCOVERY_FAILED",
    `file "${file}" exports no ${kind}: expected an export with ${members}, got ${got}`,
    { hint: `export one, or set the file aside with a name that starts with "_"`, details: { file } },
  )
}

type NamedExport = readonly [name: string, value: unknown]

/** Sorted by name. The default export comes last, so that what it repeats is called by its other name. */
function listExports(exports: Readonly<Record<string, unknown>>, wanted: Wanted): readonly NamedExport[] {
  // What `import` calls the whole of a CommonJS module.
  const wholes = new Set(["default", "module.exports"])
  const named = Object.entries(exports).filter(([name]) => !wholes.has(name))
  const whole = exports["default"]
  if (whole === undefined) return sortByName(named)
  const isRecord = isHolder(whole) && typeof whole !== "function" && !wanted.isMeant(whole)
  const inside = isRecord ? Object.entries(whole).filter(([name]) => !Object.hasOwn(exports, name)) : []
  return [...sortByName([...named, ...inside]), ["default", whole]]
}

function sortByName(exports: readonly NamedExport[]): readonly NamedExport[] {
  return exports.toSorted(([one], [other]) => (one < other ? -1 : 1))
}

const MAX_SHOWN = 8

/** What an export is, never what it says: it may be a secret. */
function describeExport(value: unknown): string {
  if (typeof value === "string") return "text"
  if (isClass(value)) return `the class ${value.name}: export what it makes`
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return typeof value === "number" || typeof value === "bigint" ? "a number" : describeValue(value)
  }
  const keys = Object.keys(value)
  if (keys.length === 0) return describeValue(value)
  return `${describeValue(value)} with ${keys.slice(0, MAX_SHOWN).join(", ")}${keys.length > MAX_SHOWN ? ", …" : ""}`
}
