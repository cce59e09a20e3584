import { integerRule, type OptionRule } from "../core/option-rules.ts"

/** A share from 0 to 1; `null` for no threshold. */
export const shareRule: OptionRule = {
  rule: "null, or a number from 0 to 1",
  accepts: (value) => value === null || (typeof value === "number" && value >= 0 && value <= 1),
}

/** A count or a duration; `null` for no threshold. */
export const amountRule: OptionRule = {
  rule: "null, or a number from 0",
  accepts: (value) => value === null || (typeof value === "number" && value >= 0),
}

/** How many there must be before a share of them says anything. */
export const minCountRule = integerRule(1, 1_000_000_000)

/** The thresholds that were given, and the defaults of the others. */
export function withDefaults<Thresholds extends object>(
  defaults: Thresholds,
  given: Partial<Thresholds> = {},
): Thresholds {
  const set = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...defaults, ...Object.fromEntries(set) }
}
