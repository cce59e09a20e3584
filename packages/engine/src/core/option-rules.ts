import { describeValue } from "./describe-value.ts"
import { textProblem } from "./json.ts"
import { asName, HANDLER_NAME_RULE, isHandlerName, isName, NAME_RULE } from "./names.ts"
import { MAX_DELAY_MS } from "./retry-policy.ts"
import { type Problem, problem } from "./problem.ts"
import { isWorkflowVersion } from "./semver.ts"

/** The most steps that a workflow may have. */
export const MAX_STEPS = 10_000

/** The most entries of a list of delays: as many as there can be attempts. */
export const MAX_ATTEMPTS = 100

/** What values an option takes. */
export interface OptionRule {
  /** In words, to follow "expected X to be". */
  readonly rule: string
  readonly accepts: (value: unknown) => boolean
  /** What a value that is refused may have been meant as. */
  readonly suggest?: (value: unknown) => string | undefined
}

export const nameRule: OptionRule = { rule: NAME_RULE, accepts: isName, suggest: suggestName }
export const handlerNameRule: OptionRule = { rule: HANDLER_NAME_RULE, accepts: isHandlerName }
export const versionRule: OptionRule = {
  rule: 'a semantic version without build metadata, such as "1.2.0"',
  accepts: isWorkflowVersion,
}
export const flagRule: OptionRule = { rule: "true or false", accepts: (value) => typeof value === "boolean" }
export const priorityRule = integerRule(1, 4)
export const attemptsRule = integerRule(1, MAX_ATTEMPTS)
export const timeoutRule = integerRule(1, MAX_DELAY_MS)
export const delayRule = integerRule(0, MAX_DELAY_MS)
export const factorRule = numberRule(1, 100)
export const jitterRule = numberRule(0, 1)

export const signalRule: OptionRule = {
  rule: "an AbortSignal",
  accepts: (value) => value instanceof AbortSignal,
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export const taskIdRule: OptionRule = {
  rule: "a task id, a UUID",
  accepts: (value) => typeof value === "string" && UUID.test(value),
}

export const descriptionRule: OptionRule = {
  rule: "text of at most 10000 characters without \\u0000",
  accepts: (value) => typeof value === "string" && value.length <= 10_000 && textProblem(value) === undefined,
}

/** A problem when `value` is there and breaks the rule. `undefined` means that the option is not given. */
export function checkOption(segments: readonly (string | number)[], value: unknown, rule: OptionRule): Problem[] {
  if (value === undefined || rule.accepts(value)) return []
  return [expectedProblem(segments, rule.rule, value, rule.suggest?.(value))]
}

/** `expected X to be RULE, got VALUE`, where X is the last of the segments. */
export function expectedProblem(
  segments: readonly (string | number)[],
  rule: string,
  value: unknown,
  hint?: string,
): Problem {
  const name = String(segments.findLast((segment) => typeof segment === "string"))
  const what = typeof segments.at(-1) === "number" ? `each of ${name}` : name
  return problem(segments, `expected ${what} to be ${rule}, got ${describeValue(value)}`, hint)
}

export function integerRule(min: number, max: number): OptionRule {
  return {
    rule: `an integer from ${min} to ${max}`,
    accepts: (value) => Number.isInteger(value) && inRange(value, min, max),
  }
}

/** A word of a list. */
export function oneOf(words: readonly string[]): OptionRule {
  return { rule: `one of ${quoted(words)}`, accepts: (value) => typeof value === "string" && words.includes(value) }
}

/** One word of a list, or several. */
export function oneOrMore(words: readonly string[]): OptionRule {
  const one = oneOf(words)
  return {
    rule: `one or a list of ${quoted(words)}`,
    accepts: (value) => one.accepts(value) || (Array.isArray(value) && value.every(one.accepts)),
  }
}

function quoted(words: readonly string[]): string {
  return words.map((word) => JSON.stringify(word)).join(", ")
}

function numberRule(min: number, max: number): OptionRule {
  return { rule: `a number from ${min} to ${max}`, accepts: (value) => inRange(value, min, max) }
}

function inRange(value: unknown, min: number, max: number): boolean {
  return typeof value === "number" && value >= min && value <= max
}

function suggestName(value: unknown): string | undefined {
  const name = typeof value === "string" ? asName(value) : undefined
  return name === undefined ? undefined : `did you mean "${name}"?`
}
