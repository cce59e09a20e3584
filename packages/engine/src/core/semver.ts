import { describeValue } from "./describe-value.ts"
import { TaskerError } from "./error.ts"

/** A semantic version. Numbers are kept as text: they may have more digits than a number has. */
export interface SemanticVersion {
  readonly major: string
  readonly minor: string
  readonly patch: string
  /** `["beta", "2"]` of "1.0.0-beta.2"; empty for a release. */
  readonly prerelease: readonly string[]
  /** What follows "+". It has no part in the order. */
  readonly build: readonly string[]
}

/** Longer text is no version. {@link versionSortKey} counts digits in two places. */
const MAX_LENGTH = 99

const NUMBER = "0|[1-9]\\d*"
const PRERELEASE_PART = `(?:${NUMBER}|\\d*[A-Za-z-][0-9A-Za-z-]*)`
const TAIL = `(?:-(${PRERELEASE_PART}(?:\\.${PRERELEASE_PART})*))?(?:\\+([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?`
const VERSION = new RegExp(`^(${NUMBER})\\.(${NUMBER})\\.(${NUMBER})${TAIL}$`)

/** Reads a version as semver.org 2.0 defines it, without a leading "v"; `undefined` when `text` is none. */
export function parseVersion(text: string): SemanticVersion | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const match = VERSION.exec(text)
  if (match === null) return undefined
  const [, major = "0", minor = "0", patch = "0", prerelease, build] = match
  return { major, minor, patch, prerelease: prerelease?.split(".") ?? [], build: build?.split(".") ?? [] }
}

/**
 * Whether `value` may be the version of a workflow. Build metadata is refused:
 * two builds of one version would have no order, and "the latest" no meaning.
 */
export function isWorkflowVersion(value: unknown): value is string {
  return typeof value === "string" && parseVersion(value)?.build.length === 0
}

/**
 * Less than 0 when `a` comes before `b`, 0 when neither does: semver.org 2.0, section 11.
 *
 * @throws TaskerError `TASKER_OPTION_INVALID` when text is no version
 */
export function compareVersions(a: SemanticVersion | string, b: SemanticVersion | string): number {
  const [one, other] = [asVersion(a), asVersion(b)]
  return (
    compareNumbers(one.major, other.major)
    || compareNumbers(one.minor, other.minor)
    || compareNumbers(one.patch, other.patch)
    || comparePrereleases(one.prerelease, other.prerelease)
  )
}

/**
 * Text whose order as bytes (`collate "C"`) is the order of versions, so that
 * the database can sort by it.
 *
 * A number is written as its digits with their count before it. A release ends
 * in "~", which is above the "-" of a prerelease. Of a prerelease's parts,
 * numbers start with "0" and words with "1", and a word ends in "!", which is
 * below all that a word may hold.
 *
 * @throws TaskerError `TASKER_OPTION_INVALID` when `version` is none
 */
export function versionSortKey(version: string): string {
  const { major, minor, patch, prerelease } = asVersion(version)
  const core = [major, minor, patch].map(numberKey).join("")
  if (prerelease.length === 0) return `${core}~`
  return `${core}-${prerelease.map((part) => (isNumber(part) ? `0${numberKey(part)}` : `1${part}!`)).join("")}`
}

function asVersion(version: SemanticVersion | string): SemanticVersion {
  if (typeof version !== "string") return version
  const parsed = parseVersion(version)
  if (parsed !== undefined) return parsed
  const message = `expected version to be a semantic version, such as "1.2.0", got ${describeValue(version)}`
  throw new TaskerError("TASKER_OPTION_INVALID", message, { details: { version } })
}

function numberKey(digits: string): string {
  return `${String(digits.length).padStart(2, "0")}${digits}`
}

function isNumber(part: string): boolean {
  return /^\d+$/.test(part)
}

/** Of numbers without leading zeros, the longer one is greater. */
function compareNumbers(a: string, b: string): number {
  return a.length - b.length || compareText(a, b)
}

/** By code unit, which for versions is by ASCII. */
function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return Number(a.length === 0) - Number(b.length === 0)
  for (const [index, part] of a.entries()) {
    const other = b[index]
    if (other === undefined) return 1
    const order = compareParts(part, other)
    if (order !== 0) return order
  }
  return a.length - b.length
}

function compareParts(a: string, b: string): number {
  if (isNumber(a) !== isNumber(b)) return isNumber(a) ? -1 : 1
  return isNumber(a) ? compareNumbers(a, b) : compareText(a, b)
}
