/**
 * Takes the values of `input` out of a validator's message, and leaves their
 * types: `Received "4111 1111"` becomes `Received a string`.
 *
 * Inputs may hold secrets, and messages end in logs. zod says no values, but
 * valibot and arktype do, and so may a rule of the user's own. All short forms
 * of `value` (what the message is about) go; of the rest of `input` only long
 * texts do, since a rule such as "at least 5" must stay readable although some
 * other field is 5.
 */
export function redactValues(message: string, value: unknown, input: unknown): string {
  const names = new Map<string, string>()
  const leaves = leavesOf(value)
  for (const leaf of leaves) {
    // Objects are compared as text only while that is cheap: an input may be a megabyte, and breaks many rules.
    if (typeof leaf !== "object" || leaves.length <= 100) addForms(names, leaf, message)
  }
  for (const leaf of leavesOf(input)) if (typeof leaf === "string" && leaf.length >= 6) addForms(names, leaf, message)
  if (names.size === 0) return message
  // Longest first, so that quotes go with what they enclose.
  const forms = [...names.keys()].toSorted((one, other) => other.length - one.length)
  const pattern = new RegExp(forms.map(wordPattern).join("|"), "gu")
  return message.replaceAll(pattern, (form) => names.get(form) ?? form)
}

/** `a string`, `a number`, `an array`, `null`, `nothing` … */
export function typeName(value: unknown): string {
  if (value === undefined) return "nothing"
  if (value === null) return "null"
  if (Array.isArray(value)) return "an array"
  return typeof value === "object" ? "an object" : `a ${typeof value}`
}

/** How many values of an input are looked at. More cannot fit a message that a person reads. */
const MAX_LEAVES = 10_000

function leavesOf(value: unknown): readonly unknown[] {
  const leaves: unknown[] = []
  const seen = new Set<unknown>()
  const waiting = [value]
  while (waiting.length > 0 && leaves.length < MAX_LEAVES) {
    const next = waiting.pop()
    leaves.push(next)
    if (typeof next !== "object" || next === null || seen.has(next)) continue
    seen.add(next)
    for (const inner of Object.values(next)) waiting.push(inner)
  }
  return leaves
}

function addForms(names: Map<string, string>, leaf: unknown, message: string): void {
  if (typeof leaf === "string" && leaf.length > message.length) return
  for (const form of formsOf(leaf)) if (message.includes(form)) names.set(form, typeName(leaf))
}

function formsOf(leaf: unknown): readonly string[] {
  switch (typeof leaf) {
    case "string": {
      const quoted = [`"${leaf}"`, `'${leaf}'`, `\`${leaf}\``, JSON.stringify(leaf)]
      return leaf.length >= 4 ? [...quoted, leaf] : quoted
    }
    case "number":
    case "bigint":
      return [String(leaf)]
    case "object":
      return leaf === null ? [] : jsonForms(leaf)
    default:
      // `true` tells nothing that the type does not, or next to it.
      return []
  }
}

function jsonForms(leaf: object): readonly string[] {
  try {
    const json: unknown = JSON.stringify(leaf)
    return typeof json === "string" && json.length > 2 ? [json, `"${json}"`] : []
  } catch {
    return [] // circular, or with a BigInt
  }
}

function wordPattern(form: string): string {
  const escaped = form.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)
  // A number only as a whole: 3 must not turn "13" or "3.5" around.
  return /^-?[\d.]/.test(form) ? String.raw`(?<![\w.])${escaped}(?!\w|\.\d)` : escaped
}
