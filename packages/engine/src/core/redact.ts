import { createTextRedactor } from "./redact-text.ts"
import { createKeyJudge, type KeyJudge, type SecretKeys } from "./secret-keys.ts"

/** What is hidden in logs, events, spans and stored errors. */
export interface RedactOptions extends SecretKeys {
  /**
   * Further keys whose values are secret. They are compared by words, whatever the case and the separators:
   * `cardNumber` is also `card_number`, `Card-Number` and `customerCardNumber`, and not `discardNumber`.
   */
  readonly keys?: readonly string[] | undefined
  /** Keys whose values are shown although they sound secret, such as `email`; each is compared as a whole. */
  readonly allow?: readonly string[] | undefined
  /** What stands in the place of a secret. Default: `[REDACTED]`. */
  readonly mask?: string | undefined
}

/** The same value without its secrets: the very same, when it holds none. Never throws. */
export type Redact = <T>(value: T) => T

/** Hides secrets in whatever there is to be logged, of which it shows a part when it is too deep or too large. */
export interface Redactor extends Redact {
  /** The same for what is JSON already, and bounded by whoever checked that: nothing of it is left out. */
  readonly json: Redact
}

/** What stands in the place of a secret, unless options say otherwise. */
export const MASK = "[REDACTED]"

const UNREADABLE = "[UNREADABLE]"
const CIRCULAR = "[CIRCULAR]"
const TRUNCATED = "[TRUNCATED]"

/** Deeper and larger trees than anybody logs; an object that many others share is counted each time. */
const MAX_DEPTH = 50
const MAX_VALUES = 100_000

/** One value on its way through a redactor. */
interface Walk {
  readonly judge: KeyJudge
  readonly redactText: (text: string) => string
  readonly mask: string
  readonly maxDepth: number
  /** The objects around the one that is looked at. */
  readonly around: object[]
  remaining: number
}

/**
 * Makes a function that hides secrets in a tree of values: whatever stands under a secret key (but for flags and
 * nothing), and in every text the secrets that its form gives away. A value that is itself text is looked at as text.
 *
 * Which keys are secret: {@link createKeyJudge}. Objects are never changed, but copied where something is
 * hidden; errors, maps and sets stay what they are. What has a `toJSON` is replaced by what that gives, if a secret
 * is in it. What throws when it is read is replaced by `[UNREADABLE]`, a cycle by `[CIRCULAR]`, and what is too deep or
 * too large by `[TRUNCATED]`: no value is passed on unseen. Names of properties are passed on as they are.
 */
export function createRedactor(options: RedactOptions = {}): Redactor {
  const { mask = MASK } = options
  const judge = createKeyJudge(options)
  const redactText = createTextRedactor(judge, mask)
  const within = (maxDepth: number, maxValues: number): Redact => {
    // What is shown has the form of what was given, but for what is hidden in it.
    return <T>(value: T): T =>
      visit(value, { judge, redactText, mask, maxDepth, around: [], remaining: maxValues }) as T
  }
  return Object.assign(within(MAX_DEPTH, MAX_VALUES), { json: within(Infinity, Infinity) })
}

function visit(value: unknown, walk: Walk): unknown {
  if (typeof value === "string") return walk.redactText(value)
  if (typeof value !== "object" || value === null) return value
  if (walk.around.includes(value)) return CIRCULAR
  if (walk.around.length >= walk.maxDepth || walk.remaining <= 0) return TRUNCATED
  walk.around.push(value)
  try {
    return visitObject(value, walk)
  } catch {
    return UNREADABLE
  } finally {
    walk.around.pop()
  }
}

function visitObject(value: object, walk: Walk): unknown {
  if (Array.isArray(value)) return visitList(value, walk)
  if (value instanceof Error) return visitError(value, walk)
  if (value instanceof Map) return visitMap(value, walk)
  if (value instanceof Set) return visitSet(value, walk)
  if (value instanceof Date || ArrayBuffer.isView(value)) return value
  return hasJsonForm(value) ? visitJsonForm(value, walk) : visitFields(value, walk)
}

function visitField(key: string, value: unknown, walk: Walk): unknown {
  walk.remaining -= 1
  return isSecret(walk.judge, key, value) ? walk.mask : visit(value, walk)
}

function visitFields(value: object, walk: Walk): object {
  const changes = changesOf(value, Object.keys(value), walk)
  return changes === undefined ? value : copyWith(value, changes)
}

function visitList(list: readonly unknown[], walk: Walk): readonly unknown[] {
  let copy: unknown[] | undefined
  for (let index = 0; index < list.length; index++) {
    walk.remaining -= 1
    if (walk.remaining < 0) return [...(copy ?? list.slice(0, index)), TRUNCATED]
    const shown = visit(list[index], walk)
    if (copy === undefined && !Object.is(shown, list[index])) copy = list.slice(0, index)
    copy?.push(shown)
  }
  return copy ?? list
}

function visitError(error: Error, walk: Walk): object {
  const hidden = ["message", "stack", "cause", "errors"].filter((key) => key in error)
  const changes = changesOf(error, [...new Set([...hidden, ...Object.keys(error)])], walk)
  if (changes === undefined) return error
  // Some errors compute these from what a copy lacks.
  const { name, message, stack } = error
  return copyWith(error, new Map<string, unknown>([...Object.entries({ name, message, stack }), ...changes]))
}

function visitMap(map: ReadonlyMap<unknown, unknown>, walk: Walk): unknown {
  const entries = [...map].map(([key, value]) => {
    if (typeof key === "string") return [key, visitField(key, value, walk)] as const
    walk.remaining -= 1
    return [key, visit(value, walk)] as const
  })
  return entries.every(([key, shown]) => Object.is(shown, map.get(key))) ? map : new Map(entries)
}

function visitSet(set: ReadonlySet<unknown>, walk: Walk): unknown {
  const values = [...set]
  const shown = visitList(values, walk)
  return shown === values ? set : new Set(shown)
}

function hasJsonForm(value: object): value is { toJSON: (key: string) => unknown } {
  return "toJSON" in value && typeof value.toJSON === "function"
}

function visitJsonForm(value: { toJSON: (key: string) => unknown }, walk: Walk): unknown {
  const json = value.toJSON("")
  if (json === value) return visitFields(value, walk)
  const shown = visit(json, walk)
  return Object.is(shown, json) ? value : shown
}

/** What is to be shown instead, of the fields where that differs. */
function changesOf(value: object, keys: readonly string[], walk: Walk): ReadonlyMap<string, unknown> | undefined {
  let changes: Map<string, unknown> | undefined
  for (const key of keys) {
    const field = read(value, key)
    const shown = field === FAILED ? UNREADABLE : visitField(key, field, walk)
    if (!Object.is(shown, field)) changes = (changes ?? new Map<string, unknown>()).set(key, shown)
  }
  return changes
}

const FAILED = Symbol("failed")

function read(value: object, key: string): unknown {
  try {
    return Reflect.get(value, key)
  } catch {
    return FAILED
  }
}

/** A flag is no secret, and nothing hides nothing. */
function isSecret(judge: KeyJudge, key: string, value: unknown): boolean {
  if (value === undefined || value === null || typeof value === "boolean" || typeof value === "function") return false
  const verdict = judge(key)
  return verdict === "secret" || (verdict === "secret-text" && typeof value !== "number" && typeof value !== "bigint")
}

/** A copy of the same kind; what it is a copy of may be frozen. */
function copyWith(value: object, changes: ReadonlyMap<string, unknown>): object {
  const fields: PropertyDescriptorMap = Object.getOwnPropertyDescriptors(value)
  for (const [key, shown] of changes) {
    const enumerable = Object.prototype.propertyIsEnumerable.call(value, key)
    const field = { value: shown, enumerable, writable: true, configurable: true }
    // Not assigned: a key may be `__proto__`.
    Object.defineProperty(fields, key, { value: field, enumerable: true, configurable: true })
  }
  const copy = {}
  Reflect.setPrototypeOf(copy, Reflect.getPrototypeOf(value))
  return Object.defineProperties(copy, fields)
}
