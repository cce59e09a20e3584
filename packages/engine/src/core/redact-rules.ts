import type { OptionRule } from "./option-rules.ts"

/** What {@link RedactOptions} may be. */
export const redactRule: OptionRule = {
  rule: 'an object of keys and allow, each a list of names, and mask, text of 1 to 50 characters without spaces, quotes or any of "/@&;"',
  accepts: isRedactOptions,
}

function isRedactOptions(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false
  return Object.entries(value).every(([key, option]) => {
    if (option === undefined) return ["keys", "allow", "mask"].includes(key)
    if (key === "mask") return typeof option === "string" && /^[^\s"'`/@&;]{1,50}$/u.test(option)
    return ["keys", "allow"].includes(key) && isNames(option)
  })
}

/** A name without a letter or a digit would stand for nothing. */
function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === "string" && /[\p{L}\d]/u.test(name))
}
