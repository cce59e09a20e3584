import { describeValue, messageOf } from "../core/describe-value.ts"
import { type ErrorCode, TaskerError } from "../core/error.ts"
import { closest } from "../core/names.ts"
import { expectedProblem, type OptionRule } from "../core/option-rules.ts"
import { formatProblems, type Problem, problem } from "../core/problem.ts"

/** A member that an interface has: what it may be, and whether it may be left out. */
export interface MemberRule extends OptionRule {
  readonly optional?: boolean
  /** Looks closer at a value that the rule accepts, and says what is wrong inside. */
  readonly problemsOf?: (value: unknown) => readonly Problem[]
}

export interface MemberRules {
  /** What it is the interface of, in the singular: `plugin`. */
  readonly kind: string
  readonly members: Readonly<Record<string, MemberRule>>
  readonly invalidCode: ErrorCode
  readonly hint: string
}

/** What plugins and subscribers may be called: `csv`, `acme/audit-log`. */
export const entryNameRule: OptionRule = {
  rule: 'text of 1 to 63 letters, digits, ".", "_", "-", "/" and "@" that starts with a letter or "@"',
  accepts: (value) => typeof value === "string" && /^[A-Za-z@][\w.@/-]{0,62}$/.test(value),
}

export const functionRule: OptionRule = { rule: "a function", accepts: isFunction }

/**
 * Makes sure that a value has the members of an interface, for those who have no
 * compiler to tell them. Members that the interface does not know are the value's
 * own, unless they look like a misspelt one.
 *
 * @throws TaskerError of `rules.invalidCode`, with every missing or misshapen member in `details.problems`
 */
export function checkMembers(value: unknown, rules: MemberRules): void {
  const problems = memberProblems(value, rules)
  if (problems.length === 0) return
  const name = nameOf(value)
  const what = name === undefined ? "this" : JSON.stringify(name)
  throw new TaskerError(
    rules.invalidCode,
    `${what} is no ${rules.kind} that can be registered:${formatProblems(problems)}`,
    { hint: rules.hint, details: { ...(name === undefined ? {} : { name }), problems } },
  )
}

/** The name of something that may be anything; `undefined` when it has none that can be read. */
export function nameOf(value: unknown): string | undefined {
  const name = typeof value === "function" ? undefined : textAt(value, "name")
  return name === "" ? undefined : name?.slice(0, 200)
}

/** A member of something that may be anything, when it can be read and is text. */
export function textAt(value: unknown, key: string): string | undefined {
  const member = isHolder(value) ? read(value, key).value : undefined
  return typeof member === "string" ? member : undefined
}

/** Whether a value can have members: an object or a function. */
export function isHolder(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function"
}

/** Whether a value is a class. Those of other languages that were compiled to functions look like functions. */
export function isClass(value: unknown): value is { readonly name: string } {
  return typeof value === "function" && Function.prototype.toString.call(value).startsWith("class")
}

function memberProblems(value: unknown, { kind, members }: MemberRules): readonly Problem[] {
  if (isClass(value)) {
    return [problem([], `expected a ${kind}, got the class ${value.name}`, `make one: new ${value.name}()`)]
  }
  if (value instanceof Promise) return [problem([], `expected a ${kind}, got a Promise`, "await it")]
  if (!isHolder(value) || Array.isArray(value)) {
    return [problem([], `expected a ${kind}, got ${describeValue(value)}`)]
  }
  const unknown = keysOf(value).filter((key) => !Object.hasOwn(members, key))
  return [
    ...Object.entries(members).flatMap(([key, rule]) => oneProblem(value, key, rule, unknown)),
    ...misspeltMembers(value, members, unknown),
  ]
}

function oneProblem(value: object, key: string, rule: MemberRule, unknown: readonly string[]): readonly Problem[] {
  const member = read(value, key)
  if (member.error !== undefined) return [problem([key], `reading ${key} threw: ${member.error}`)]
  if (member.value === undefined && rule.optional === true) return []
  if (rule.accepts(member.value)) return rule.problemsOf?.(member.value) ?? []
  const near = member.value === undefined ? closest(key, unknown) : undefined
  const hint = near === undefined ? rule.suggest?.(member.value) : `rename "${near}" to "${key}"`
  return [expectedProblem([key], rule.rule, member.value, hint)]
}

/**
 * Members that nobody would read, because the optional member that they were meant to be has another name. Objects of
 * classes have members of their own, so of those only functions are suspected.
 */
function misspeltMembers(
  value: object,
  members: Readonly<Record<string, MemberRule>>,
  unknown: readonly string[],
): readonly Problem[] {
  const absent = Object.keys(members).filter((key) => members[key]?.optional === true && !(key in value))
  const isPlain = Object.getPrototypeOf(value) === Object.prototype
  return unknown.flatMap((key) => {
    if (!(isPlain || isFunction(read(value, key).value))) return []
    const near = closest(
      key,
      // "session" is near "version", but was not meant as it.
      absent.filter((one) => one.slice(0, 4).toLowerCase() === key.slice(0, 4).toLowerCase()),
    )
    return near === undefined ? [] : [problem([key], `unknown member "${key}"`, `did you mean "${near}"?`)]
  })
}

/** Names of members, those of the class and its parents included. */
function keysOf(value: object): readonly string[] {
  const keys = new Set<string>()
  const roots: readonly unknown[] = [Object.prototype, Function.prototype]
  for (let one: unknown = value; isHolder(one) && !roots.includes(one); one = Object.getPrototypeOf(one)) {
    for (const key of Object.getOwnPropertyNames(one)) keys.add(key)
  }
  return [...keys]
}

function read(value: object, key: string): { readonly value?: unknown; readonly error?: string } {
  try {
    return { value: Reflect.get(value, key) }
  } catch (error) {
    return { error: messageOf(error) }
  }
}

function isFunction(value: unknown): boolean {
  return typeof value === "function"
}
