import { isObject } from "../core/is-object.ts"
import { textProblem } from "../core/json.ts"
import { isName, NAME_RULE } from "../core/names.ts"
import { integerRule, oneOrMore, type OptionRule } from "../core/option-rules.ts"
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
  accepts: isObject,
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
export const pageLimitRule = integerRule(1, 500)
export const cursorRule: OptionRule = { rule: "text", accepts: (value) => typeof value === "string" }
export const transactionRule: OptionRule = {
  rule: "a client with a method `query`, inside a transaction",
  accepts: (value) =>
    typeof value === "object" && value !== null && "query" in value && typeof value.query === "function",
}

function isText(value: unknown, maxLength: number): value is string {
  return typeof value === "string" && value.length >= 1 && value.length <= maxLength && textProblem(value) === undefined
}
