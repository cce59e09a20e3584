import type { OptionRules } from "../check-options.ts"
import { flagRule, integerRule, timeoutRule } from "../option-rules.ts"

/** What a subscriber is given when nobody says. */
export const DEFAULT_SUBSCRIBER_OPTIONS = { timeoutMs: 30_000, maxPending: 10_000 } as const

/** What the options of a subscriber may be. */
export const SUBSCRIBER_RULES = {
  filter: { rule: "a function", accepts: (value: unknown) => typeof value === "function" },
  timeoutMs: timeoutRule,
  maxPending: integerRule(1, 1_000_000),
  immediate: flagRule,
} satisfies OptionRules
