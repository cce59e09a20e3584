import type { Redact } from "./redact.ts"

// What jsonb refuses: the NUL character, and half of a surrogate pair, which the cut may leave too.
// oxlint-disable-next-line no-control-regex -- the control character is what is looked for
const NOT_STORABLE = /\u0000|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g

/** A text as it can be stored: without its secrets, of so many characters at most, and of none that jsonb refuses. */
export function boundedText(text: string, maxLength: number, redact: Redact): string {
  // Cut only after the search, which would not know half of a secret again; and a long text is not searched whole.
  const shown = redact(text.slice(0, 2 * maxLength))
  const cut = shown.length > maxLength ? `${shown.slice(0, maxLength)}…` : shown
  return cut.replace(NOT_STORABLE, "\uFFFD")
}

/** For texts that hold no secrets, or whose reader takes them out. */
export function asItIs<T>(value: T): T {
  return value
}
