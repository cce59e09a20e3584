import { EXPORT_SUBJECTS, type Exporter } from "../core/exporter.ts"
import { isObject } from "../core/is-object.ts"
import { checkOption, expectedProblem, oneOf, type OptionRule } from "../core/option-rules.ts"
import type { Problem } from "../core/problem.ts"
import {
  checkMembers,
  entryNameRule,
  functionRule,
  isHolder,
  type MemberRule,
  type MemberRules,
} from "./check-members.ts"

/**
 * Makes sure that a value is a plugin, for those who have no compiler to tell them.
 *
 * @throws TaskerError `TASKER_PLUGIN_INVALID` with every missing or misshapen member in `details.problems`
 */
export function assertPlugin(value: unknown): asserts value is Exporter {
  checkMembers(value, RULES)
}

const formatRule: OptionRule = {
  rule: 'text of 1 to 63 letters, digits, ".", "_", "+" and "-" that starts with a letter or digit',
  accepts: (value) => typeof value === "string" && /^[A-Za-z0-9][\w.+-]{0,62}$/.test(value),
}
const subjectRule = oneOf(EXPORT_SUBJECTS)
const textRule: MemberRule = { rule: "text", accepts: (value) => typeof value === "string", optional: true }
const hookRule: MemberRule = { ...functionRule, optional: true }

const RULES: MemberRules = {
  kind: "plugin",
  members: {
    name: entryNameRule,
    version: textRule,
    description: textRule,
    formats: listRule("formats", "formats that it writes", formatRule),
    subjects: { ...listRule("subjects", "what it can export", subjectRule), optional: true },
    options: { rule: "an object of rules", accepts: isObject, problemsOf: optionRuleProblems, optional: true },
    export: functionRule,
    onExportRequested: hookRule,
    onExportCompleted: hookRule,
    onExportFailed: hookRule,
  },
  invalidCode: "TASKER_PLUGIN_INVALID",
  hint: "correct the members listed; a plugin has a name, formats and an export function at least",
}

function listRule(key: string, what: string, each: OptionRule): MemberRule {
  return {
    rule: `a list of ${what}, one or more`,
    accepts: (value) => Array.isArray(value) && value.length > 0,
    problemsOf: (value) =>
      Array.isArray(value) ? value.flatMap((one, index) => checkOption([key, index], one ?? null, each)) : [],
  }
}

function optionRuleProblems(rules: unknown): readonly Problem[] {
  return Object.entries(isHolder(rules) ? rules : {}).flatMap(([key, rule]: readonly [string, unknown]) => {
    const isRule = isHolder(rule) && typeof Reflect.get(rule, "accepts") === "function"
    if (isRule && typeof Reflect.get(rule, "rule") === "string") return []
    return [expectedProblem(["options", key], "an object of rule, which is text, and accepts, a function", rule)]
  })
}
