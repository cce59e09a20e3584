import { patternProblem } from "../core/events/event-pattern.ts"
import { SUBSCRIBER_RULES } from "../core/events/subscriber-rules.ts"
import type { Subscriber } from "../core/events/subscriber.ts"
import { expectedProblem } from "../core/option-rules.ts"
import { type Problem, problem } from "../core/problem.ts"
import { checkMembers, entryNameRule, functionRule, type MemberRules } from "./check-members.ts"

/**
 * Makes sure that a value is a subscriber, for those who have no compiler to tell
 * them, and that each of its patterns can stand for an event.
 *
 * @throws TaskerError `TASKER_SUBSCRIBER_INVALID` with every missing or misshapen member in `details.problems`
 */
export function assertSubscriber(value: unknown): asserts value is Subscriber {
  checkMembers(value, RULES)
}

const RULES: MemberRules = {
  kind: "subscriber",
  members: {
    name: entryNameRule,
    on: {
      rule: "an object of functions by event, one or more",
      accepts: (value) =>
        typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0,
      problemsOf: (value) => Object.entries(value ?? {}).flatMap(([pattern, handler]) => onProblems(pattern, handler)),
    },
    // Its options: whatever there are.
    ...Object.fromEntries(Object.entries(SUBSCRIBER_RULES).map(([key, rule]) => [key, { ...rule, optional: true }])),
  },
  invalidCode: "TASKER_SUBSCRIBER_INVALID",
  hint: "correct the members listed; a subscriber has a name and, in `on`, a function per event at least",
}

function onProblems(pattern: string, handler: unknown): readonly Problem[] {
  const wrong = patternProblem(pattern)
  return [
    ...(wrong === undefined ? [] : [problem(["on", pattern], wrong.message, wrong.hint)]),
    ...(typeof handler === "function" ? [] : [expectedProblem(["on", pattern], functionRule.rule, handler)]),
  ]
}
