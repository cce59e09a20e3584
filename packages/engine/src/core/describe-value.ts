/** Longer text is cut in messages: the value may be a document. */
const SHOWN_LENGTH = 60

/** A value as an error message names it after "got": short, and on one line. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case "undefined":
      return "nothing"
    case "string":
      return describeText(value)
    case "bigint":
      return `${value}n`
    case "function":
      return "a function"
    case "symbol":
      return "a symbol"
    case "object":
      return value === null ? "null" : describeObject(value)
    default:
      return String(value)
  }
}

/** What was thrown says of itself, on one line unless an error has more. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : describeValue(thrown)
}

function describeText(text: string): string {
  return text.length <= SHOWN_LENGTH
    ? JSON.stringify(text)
    : `${JSON.stringify(text.slice(0, SHOWN_LENGTH))}… (${text.length} characters)`
}

function describeObject(value: object): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  return tag === "Object" ? "an object" : `a ${tag}`
}
