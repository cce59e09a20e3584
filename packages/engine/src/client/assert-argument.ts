import { checkOptions, type OptionRules } from "../core/check-options.ts"
import { describeValue } from "../core/describe-value.ts"
import { TaskerError } from "../core/error.ts"
import type { OptionRule } from "../core/option-rules.ts"

/**
 * Checks one argument of a call.
 *
 * @throws TaskerError `TASKER_OPTION_INVALID`
 */
export function assertArgument(name: string, value: unknown, { rule, accepts, suggest }: OptionRule): void {
  if (accepts(value)) return
  throw new TaskerError("TASKER_OPTION_INVALID", `expected ${name} to be ${rule}, got ${describeValue(value)}`, {
    hint: suggest?.(value),
    details: { argument: name },
  })
}

/**
 * Checks the options of a call.
 *
 * @param what - the call, for the message
 * @throws TaskerError `TASKER_OPTION_INVALID` with every problem in `details.problems`
 */
export function assertOptions(what: string, options: unknown, rules: OptionRules): void {
  checkOptions(what, options, rules, "TASKER_OPTION_INVALID")
}
