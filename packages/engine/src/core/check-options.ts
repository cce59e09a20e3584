import { describeValue } from "./describe-value.ts"
import { type ErrorCode, TaskerError } from "./error.ts"
import { didYouMean } from "./names.ts"
import { checkOption, expectedProblem, type OptionRule } from "./option-rules.ts"
import { formatProblems, type Problem, problem } from "./problem.ts"

/** The options that there are, and what each may be. */
export type OptionRules = Readonly<Record<string, OptionRule>>

/**
 * Checks an object of options: every key is known, every value in its range.
 *
 * @param what - what the options are of, for the message: `createTasker`
 * @throws TaskerError of `code`, with every problem in `details.problems`
 */
export function checkOptions(what: string, options: unknown, rules: OptionRules, code: ErrorCode): void {
  const problems = optionProblems(options, rules)
  if (problems.length === 0) return
  throw new TaskerError(code, `${what} was given options that it does not take:${formatProblems(problems)}`, {
    hint: "correct the options listed",
    details: { problems },
  })
}

function optionProblems(options: unknown, rules: OptionRules): readonly Problem[] {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    return [expectedProblem(["options"], "an object", options)]
  }
  return Object.entries(options).flatMap(([key, value]) => {
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined
    if (rule !== undefined) return checkOption([key], value, rule)
    return [problem([key], `unknown option ${describeValue(key)}`, didYouMean(key, Object.keys(rules)))]
  })
}
