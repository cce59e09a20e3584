import { describeValue } from "./describe-value.ts"
import { TaskerError } from "./error.ts"
import { compareVersions, parseVersion, type SemanticVersion } from "./semver.ts"

/** A set of versions: those that meet all comparators of one of the alternatives. */
export interface VersionRange {
  readonly alternatives: readonly (readonly Comparator[])[]
}

interface Comparator {
  readonly operator: ">=" | "<" | ">" | "<=" | "="
  readonly version: SemanticVersion
}

/** Longer text is no range. */
const MAX_LENGTH = 256

const PART = "[xX*]|0|[1-9]\\d*"
const PARTIAL = new RegExp(`^(?:${PART})(?:\\.(?:${PART})(?:\\.(?:${PART})(?:-[0-9A-Za-z.-]+)?)?)?$`)

/**
 * Reads a range as npm does: `^1.2.0`, `~1.2`, `1.x`, `>=1 <2`, `1.2 - 2.3`,
 * `3.0.0`, alternatives with `||`, and `*`. `latest` is `*`, prereleases
 * included.
 *
 * @throws TaskerError `TASKER_OPTION_INVALID` when `text` is none
 */
export function parseRange(text: string): VersionRange {
  if (typeof text !== "string" || text.length > MAX_LENGTH) throw notARange(text)
  return { alternatives: text.split("||").map((part) => parseAlternative(part.trim(), text)) }
}

/**
 * Whether a version is in a range. As in npm, a prerelease is in it only when a
 * comparator names a prerelease of the same three numbers: `^1.0.0` must not
 * hand out `1.1.0-beta`.
 */
export function satisfies(version: SemanticVersion, range: VersionRange): boolean {
  return range.alternatives.some(
    (comparators) =>
      comparators.every((comparator) => meets(version, comparator))
      && (version.prerelease.length === 0 || comparators.some((comparator) => names(comparator.version, version))),
  )
}

/**
 * The greatest of the versions that is in the range. For `latest`: the greatest
 * release; the greatest prerelease when there is no release. Text that is no
 * version is passed over.
 *
 * @throws TaskerError `TASKER_OPTION_INVALID` when `range` is none
 */
export function maxSatisfying(versions: readonly string[], range: string): string | undefined {
  if (range.trim() === "latest") return greatest(versions, parseRange("*")) ?? greatest(versions)
  return greatest(versions, parseRange(range))
}

function greatest(versions: readonly string[], range?: VersionRange): string | undefined {
  let best: { readonly text: string; readonly version: SemanticVersion } | undefined
  for (const text of versions) {
    const version = parseVersion(text)
    if (version === undefined || (range !== undefined && !satisfies(version, range))) continue
    if (best === undefined || compareVersions(version, best.version) > 0) best = { text, version }
  }
  return best?.text
}

function meets(version: SemanticVersion, { operator, version: bound }: Comparator): boolean {
  const order = compareVersions(version, bound)
  switch (operator) {
    case "=":
      return order === 0
    case ">":
      return order > 0
    case ">=":
      return order >= 0
    case "<":
      return order < 0
    case "<=":
      return order <= 0
  }
}

function names(bound: SemanticVersion, version: SemanticVersion): boolean {
  const { major, minor, patch, prerelease } = bound
  return prerelease.length > 0 && major === version.major && minor === version.minor && patch === version.patch
}

function parseAlternative(text: string, whole: string): readonly Comparator[] {
  const [, from, to] = /^(\S+)\s+-\s+(\S+)$/.exec(text) ?? []
  if (from !== undefined && to !== undefined) {
    return [...lowest(parsePartial(from, whole)), ...upTo(parsePartial(to, whole))]
  }
  // An operator may stand apart from its version: ">= 1.2".
  const terms = text
    .replace(/([<>=^~])\s+/g, "$1")
    .split(/\s+/)
    .filter((term) => term !== "")
  return terms.flatMap((term) => parseTerm(term, whole))
}

function parseTerm(term: string, whole: string): readonly Comparator[] {
  const operator = /^(?:\^|~|>=|<=|>|<|=)/.exec(term)?.[0] ?? ""
  const partial = parsePartial(term.slice(operator.length), whole)
  switch (operator) {
    case "^":
      return [...lowest(partial), ...below(caretBound(partial))]
    case "~":
      return [...lowest(partial), ...below(nextAfter(partial, 2))]
    case ">=":
      return lowest(partial)
    case "<":
      return beforeStart(partial)
    case ">":
      return afterEnd(partial)
    case "<=":
      return upTo(partial)
    default:
      return exactly(partial)
  }
}

/** A version of which some parts may be missing: `1`, `1.2`, `1.x`, `*`. */
interface Partial {
  /** None to three numbers. */
  readonly numbers: readonly string[]
  readonly prerelease: readonly string[]
}

function parsePartial(text: string, whole: string): Partial {
  const exact = parseVersion(text)
  // Build metadata has no part in the order, so none in a range.
  if (exact !== undefined) return { numbers: [exact.major, exact.minor, exact.patch], prerelease: exact.prerelease }
  if (!PARTIAL.test(text) || text.includes("-")) throw notARange(whole)
  const parts = text.split(".")
  const wildcard = parts.findIndex((part) => /^[xX*]$/.test(part))
  return { numbers: wildcard < 0 ? parts : parts.slice(0, wildcard), prerelease: [] }
}

/** From the first version that the partial stands for. */
function lowest(partial: Partial): readonly Comparator[] {
  return [{ operator: ">=", version: firstOf(partial) }]
}

function exactly(partial: Partial): readonly Comparator[] {
  if (partial.numbers.length === 3) return [{ operator: "=", version: firstOf(partial) }]
  return [...lowest(partial), ...below(nextAfter(partial, partial.numbers.length))]
}

function upTo(partial: Partial): readonly Comparator[] {
  if (partial.numbers.length === 3) return [{ operator: "<=", version: firstOf(partial) }]
  return below(nextAfter(partial, partial.numbers.length))
}

function beforeStart(partial: Partial): readonly Comparator[] {
  if (partial.numbers.length === 3) return [{ operator: "<", version: firstOf(partial) }]
  return [{ operator: "<", version: smallest(firstOf(partial)) }]
}

function afterEnd(partial: Partial): readonly Comparator[] {
  if (partial.numbers.length === 3) return [{ operator: ">", version: firstOf(partial) }]
  const next = nextAfter(partial, partial.numbers.length)
  // Nothing comes after all versions.
  return next === undefined
    ? [{ operator: "<", version: smallest(release(["0", "0", "0"])) }]
    : [{ operator: ">=", version: next }]
}

/** Below a version and below its prereleases: `<2.0.0-0`. Nothing when there is no bound. */
function below(version: SemanticVersion | undefined): readonly Comparator[] {
  return version === undefined ? [] : [{ operator: "<", version: smallest(version) }]
}

/** The first version with another leftmost number that is not 0. */
function caretBound(partial: Partial): SemanticVersion | undefined {
  const significant = partial.numbers.findIndex((number) => number !== "0")
  return nextAfter(partial, significant < 0 ? partial.numbers.length : significant + 1)
}

/** The first version after all that share the first `count` numbers; `undefined` when that is all of them. */
function nextAfter(partial: Partial, count: number): SemanticVersion | undefined {
  const kept = partial.numbers.slice(0, count)
  const last = kept.pop()
  return last === undefined ? undefined : release([...kept, increment(last)])
}

function firstOf({ numbers, prerelease }: Partial): SemanticVersion {
  return { ...release(numbers), prerelease }
}

function release([major = "0", minor = "0", patch = "0"]: readonly string[]): SemanticVersion {
  return { major, minor, patch, prerelease: [], build: [] }
}

/** "-0" is the least of all prereleases. */
function smallest(version: SemanticVersion): SemanticVersion {
  return { ...version, prerelease: ["0"] }
}

function increment(digits: string): string {
  return String(BigInt(digits) + 1n)
}

function notARange(text: string): TaskerError {
  const message = `expected version to be a version or a range, such as "^1.2.0" or "latest", got ${describeValue(text)}`
  return new TaskerError("TASKER_OPTION_INVALID", message, { details: { range: text } })
}
