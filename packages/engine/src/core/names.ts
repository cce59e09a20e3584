/**
 * Names of namespaces, workflows, steps and queues. They are keys of objects
 * and parts of handler names, so they are plain: no dots, no capitals.
 */
const NAME = /^[a-z][a-z0-9_]{0,62}$/

/** Match {@link NAME}, but mean something on every JavaScript object. (`__proto__` does not match.) */
const RESERVED: ReadonlySet<string> = new Set(["constructor", "prototype"])

/** The rule in words, to follow "expected X to be". */
export const NAME_RULE =
  'a name of 1 to 63 lower-case letters, digits and "_" that starts with a letter and is not "constructor" or "prototype"'

/** Whether `value` may name a namespace, a workflow, a step or a queue. */
export function isName(value: unknown): value is string {
  return typeof value === "string" && NAME.test(value) && !RESERVED.has(value)
}

/** The rule for handler names in words, to follow "expected X to be". */
export const HANDLER_NAME_RULE = 'one to four names joined by ".", such as "shop.charge_card"'

/** Whether `value` may name a step handler: names joined by dots. */
export function isHandlerName(value: unknown): value is string {
  if (typeof value !== "string") return false
  const parts = value.split(".")
  return parts.length <= 4 && parts.every(isName)
}

/** What a person who wrote `text` as a name may have wanted: `chargeCard` → `charge_card`. */
export function asName(text: string): string | undefined {
  if (text.length > 200) return undefined
  const name = text
    .trim()
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[^A-Za-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .toLowerCase()
  return name !== text && isName(name) ? name : undefined
}

/**
 * The candidate that `name` is most likely a misspelling of; `undefined` when
 * none is near. Capitals, "-" and "_" do not count.
 */
export function closest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = fold(name)
  let best: string | undefined
  let bestDistance = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const folded = fold(candidate)
    const length = Math.max(wanted.length, folded.length)
    // Names are at most 63 long; longer text was never meant as one, and the distance costs length².
    if (length > 200) continue
    const distance = editDistance(wanted, folded)
    if (distance <= Math.floor(length * 0.4) && distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** `did you mean "price"?`, or `undefined` when no candidate is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const best = closest(name, candidates)
  return best === undefined ? undefined : `did you mean "${best}"?`
}

function fold(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, "")
}

/** How many letters to insert, drop, replace, or swap with a neighbour. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let distance = Math.min(at(row, j - 1) + 1, at(last, j) + 1, replaced)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, at(beforeLast, j - 2) + 1)
      }
      row.push(distance)
    }
    beforeLast = last
    last = row
  }
  return at(last, b.length)
}

function at(row: readonly number[], index: number): number {
  // Every index above is inside the row: rows have b.length + 1 cells.
  return row[index] as number
}
