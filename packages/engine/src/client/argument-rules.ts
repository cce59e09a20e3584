import { textProblem } from "../core/json.ts"
import { isName, NAME_RULE } from "../core/names.ts"
import { integerRule, type OptionRule } from "../core/option-rules.ts"
import { MAX_DELAY_MS } from "../core/retry-policy.ts"
import { TASK_STATES } from "../core/state.ts"

/** Text that is stored with a task: who, why, tags, keys. */
export function textRule(maxLength: number): OptionRule {
  return { rule: `text of 1 to ${maxLength} characters without \\u0000`, accepts: (value) => isText(value, maxLength) }
}

export const whoRule = textRule(200)
export const reasonRule = textRule(2_000)
export const versionTextRule = textRule(100)

// Later years have a sign in ISO 8601, which PostgreSQL does not read.
const LAST_DATE_MS = Date.UTC(9999, 11, 31)

export const dateRule: OptionRule = {
  rule: "a Date from 1970 to 9999",
  accepts: (value) => value instanceof Date && value.getTime() >= 0 && value.getTime() <= LAST_DATE_MS,
}

const MAX_TAGS = 50
const MAX_TAG_LENGTH = 200

/** What carries a task's tags, or asks for them. */
export const tagsRule: OptionRule = {
  rule: `a list of at most ${MAX_TAGS} tags, each text of 1 to ${MAX_TAG_LENGTH} characters`,
  accepts: (value) =>
    Array.isArray(value) && value.length <= MAX_TAGS && value.every((tag) => isText(tag, MAX_TAG_LENGTH)),
}

export const tagOrTagsRule: OptionRule = {
  rule: `a tag, or ${tagsRule.rule}`,
  accepts: (value) => isText(value, MAX_TAG_LENGTH) || tagsRule.accepts(value),
}

export const objectRule: OptionRule = {
  rule: "an object",
  accepts: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
}

export const stepNamesRule: OptionRule = {
  rule: "a list of step names",
  accepts: (value) => Array.isArray(value) && value.every(isName),
}

export const queueLimitRule: OptionRule = {
  rule: "null, or an integer from 1 to 1000000",
  accepts: (value) => value === null || integerRule(1, 1_000_000).accepts(value),
}

export const nameFilterRule: OptionRule = { rule: NAME_RULE, accepts: isName }
export const taskStatesRule = oneOrMore(TASK_STATES)
export const durationRule = integerRule(0, MAX_DELAY_MS)
export const pageLimitRule = integerRule(1, 500)
export const cursorRule: OptionRule = { rule: "text", accepts: (value) => typeof value === "string" }
export const signalRule: OptionRule = {
  rule: "an AbortSignal",
  accepts: (value) => value instanceof AbortSignal,
}
export const transactionRule: OptionRule = {
  rule: "a client with a method `query`, inside a transaction",
  accepts: (value) =>
    typeof value === "object" && value !== null && "query" in value && typeof value.query === "function",
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

function isText(value: unknown, maxLength: number): value is string {
  return typeof value === "string" && value.length >= 1 && value.length <= maxLength && textProblem(value) === undefined
}
