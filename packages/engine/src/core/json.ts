import { type ErrorCode, TaskerError } from "./error.ts"
import { formatPath } from "./problem.ts"

/** How many objects and lists may be inside each other. */
export const MAX_JSON_DEPTH = 100

export interface EncodeJsonOptions {
  /** What the value is: the root of the paths in messages, such as `input`. */
  readonly what: string
  /** The largest encoding that is accepted, in bytes of UTF-8. */
  readonly maxBytes: number
  /** The code of the error when the value is refused. */
  readonly code: ErrorCode
}

/**
 * Encodes a value as JSON that PostgreSQL's `jsonb` can hold, or says which part
 * of it cannot be. What `JSON.stringify` would drop or change without a word
 * (functions, NaN, a Map, a Promise that was not awaited) is refused; only a
 * property that is `undefined` is left out, and in a list becomes null.
 *
 * @throws TaskerError of `code`: not JSON, circular, deeper than 100, text with \u0000 or half of a
 *   surrogate pair (which `jsonb` refuses), or more than `maxBytes`
 */
export function encodeJson(value: unknown, options: EncodeJsonOptions): string {
  if (value === undefined) throw refusal(options, [], "undefined", "return or pass null instead")
  visit({ options, path: [], ancestors: [], bytes: 0, checksText: false }, value)
  const json = JSON.stringify(value)
  // The same as checking each text, which costs as much as all the rest: JSON.stringify escapes both. An escaped
  // backslash may look alike, so the second walk decides, and says where.
  if (ESCAPED.test(json)) visit({ options, path: [], ancestors: [], bytes: 0, checksText: true }, value)
  // No text has more than three bytes per code unit.
  const bytes = json.length * 3 > options.maxBytes ? utf8Bytes(json) : 0
  if (bytes > options.maxBytes) throw tooLarge(options, bytes)
  return json
}

/** What JSON.stringify writes for \u0000 and for half of a surrogate pair. */
const ESCAPED = /\\u(?:0000|d[89a-f])/

interface Walk {
  readonly options: EncodeJsonOptions
  readonly path: (string | number)[]
  /** The objects on the path. At most 100, mostly two or three, so a list is faster than a set. */
  readonly ancestors: object[]
  /** No more than the encoding will have. Ends the walk early when the value shares parts so that it unfolds without end. */
  bytes: number
  readonly checksText: boolean
}

function visit(walk: Walk, value: unknown): void {
  walk.bytes += typeof value === "string" ? value.length + 2 : 1
  if (walk.bytes > walk.options.maxBytes) throw tooLarge(walk.options)
  switch (typeof value) {
    case "string":
      return walk.checksText ? checkText(walk, value) : undefined
    case "number":
      if (Number.isFinite(value)) return
      throw refusal(walk.options, walk.path, String(value), "use null or a string")
    case "bigint":
      throw refusal(walk.options, walk.path, "a bigint", "use a string")
    case "function":
    case "symbol":
      throw refusal(walk.options, walk.path, `a ${typeof value}`)
    case "object":
      return value === null ? undefined : visitObject(walk, value)
    case "boolean":
    case "undefined":
  }
}

function visitObject(walk: Walk, value: object): void {
  const { options, path, ancestors } = walk
  if (ancestors.includes(value)) throw refusal(options, path, "a circular reference", "refer to it by an id")
  if (ancestors.length >= MAX_JSON_DEPTH) throw tooDeep(options)
  ancestors.push(value)
  if (value instanceof Date && Number.isNaN(value.getTime())) throw refusal(options, path, "an invalid Date")
  if (hasToJson(value)) visitEncoded(walk, value.toJSON(String(path.at(-1) ?? "")))
  else if (Array.isArray(value)) visitList(walk, value)
  else visitKeys(walk, value)
  ancestors.pop()
}

function hasToJson(value: object): value is { toJSON(key: string): unknown } {
  return "toJSON" in value && typeof value.toJSON === "function"
}

/** What `toJSON` returned; `JSON.stringify` drops or nulls it when that is undefined. */
function visitEncoded(walk: Walk, encoded: unknown): void {
  if (encoded !== undefined) visit(walk, encoded)
  else if (walk.path.length === 0) throw refusal(walk.options, [], "undefined (from toJSON)")
}

function visitList(walk: Walk, list: readonly unknown[]): void {
  for (let index = 0; index < list.length; index++) {
    walk.path.push(index)
    visit(walk, list[index] ?? null)
    walk.path.pop()
  }
}

/** Objects that `JSON.stringify` makes `{}` of, or a list with keys; their content would be lost. */
const OPAQUE =
  /^\[object ((?:Weak)?(?:Map|Set|Ref)|Promise|RegExp|Error|(?:Shared)?ArrayBuffer|DataView|\w+\d+(?:Clamped)?Array)\]$/

function opaqueKind(value: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  // Nearly all are plain, and asking for the tag is slow.
  if (prototype === Object.prototype || prototype === null) return undefined
  return OPAQUE.exec(Object.prototype.toString.call(value))?.[1]
}

function visitKeys(walk: Walk, value: object): void {
  const opaque = opaqueKind(value)
  if (opaque !== undefined) {
    const hint = opaque === "Promise" ? "await it" : "use a plain object or a list"
    throw refusal(walk.options, walk.path, /^[AEIO]/.test(opaque) ? `an ${opaque}` : `a ${opaque}`, hint)
  }
  for (const key of Object.keys(value)) {
    // One of its own keys.
    const item = (value as Readonly<Record<string, unknown>>)[key]
    if (item === undefined) continue
    walk.path.push(key)
    if (walk.checksText) checkText(walk, key)
    walk.bytes += key.length + 3
    visit(walk, item)
    walk.path.pop()
  }
}

const LONE_SURROGATE = /[\ud800-\udfff]/u

/** Why `jsonb` cannot hold a text; `undefined` when it can. */
export function textProblem(text: string): string | undefined {
  if (text.includes("\u0000")) return "text with \\u0000"
  return LONE_SURROGATE.test(text) ? "text with half of a surrogate pair" : undefined
}

function checkText(walk: Walk, text: string): void {
  const found = textProblem(text)
  if (found !== undefined) throw refusal(walk.options, walk.path, found, "remove it: PostgreSQL stores no such text")
}

function refusal(
  options: EncodeJsonOptions,
  path: readonly (string | number)[],
  found: string,
  hint?: string,
): TaskerError {
  const where = formatPath([options.what, ...path])
  return new TaskerError(options.code, `expected ${options.what} to be JSON, got ${found} at ${where}`, {
    hint,
    details: { problems: [{ path: formatPath(path), message: `expected JSON, got ${found}` }] },
  })
}

function tooDeep(options: EncodeJsonOptions): TaskerError {
  return new TaskerError(
    options.code,
    `expected ${options.what} to be at most ${MAX_JSON_DEPTH} levels deep, got more`,
    {
      hint: "flatten it",
      details: { maxDepth: MAX_JSON_DEPTH },
    },
  )
}

function tooLarge(options: EncodeJsonOptions, bytes?: number): TaskerError {
  const { what, maxBytes } = options
  const message = `expected ${what} to be at most ${maxBytes} bytes of JSON, got ${bytes ?? "more"}`
  return new TaskerError(options.code, message, {
    hint: "store the data elsewhere and pass a reference to it",
    details: bytes === undefined ? { maxBytes } : { maxBytes, bytes },
  })
}

/** The length of well-formed text in UTF-8. */
function utf8Bytes(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    // Each half of a surrogate pair counts 2, and the pair 4.
    if (unit >= 0x80) bytes += unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1
  }
  return bytes
}
