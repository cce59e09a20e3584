import type { Backoff } from "./workflow.ts"

/** What a step gets when neither it nor its workflow says otherwise. */
export const DEFAULT_BACKOFF = Object.freeze({ baseMs: 1_000, capMs: 30_000, factor: 2, jitter: 0.1 })

/** The longest delay that anybody can ask for: what a timer and an `integer` column hold, 24.8 days. */
export const MAX_DELAY_MS = 2_147_483_647

/** The longest that a server's `Retry-After` is obeyed, unless the caller says otherwise: one hour. */
export const RETRY_AFTER_CAP_MS = 3_600_000

/**
 * How long to wait before an attempt, in whole milliseconds.
 *
 * The server's wish comes first and gets no jitter, which could make it too
 * early. Otherwise `min(capMs, baseMs · factor^(attempt-2))`, or the delay of
 * the list, whose last entry repeats; plus or minus the jitter, so that what
 * failed together does not return together.
 *
 * @param attempt - the attempt that is to come: 2 or more
 * @param random - from 0 to 1, such as `Math.random`
 * @param retryAfterMs - what the server asked for; capped at {@link MAX_DELAY_MS}
 */
export function delayBeforeAttempt(
  attempt: number,
  backoff: Backoff,
  random: () => number,
  retryAfterMs?: number,
): number {
  if (retryAfterMs !== undefined && retryAfterMs >= 0) return Math.round(Math.min(retryAfterMs, MAX_DELAY_MS))
  const plain = plainDelay(Math.max(2, attempt), backoff)
  const jittered = plain * (1 + backoff.jitter * (2 * random() - 1))
  return Math.round(Math.min(jittered, MAX_DELAY_MS))
}

function plainDelay(attempt: number, backoff: Backoff): number {
  if ("delaysMs" in backoff) return backoff.delaysMs[attempt - 2] ?? backoff.delaysMs.at(-1) ?? 0
  // A power that overflows is Infinity, which the cap cuts; but 0 · Infinity is not a number.
  return backoff.baseMs === 0 ? 0 : Math.min(backoff.capMs, backoff.baseMs * backoff.factor ** (attempt - 2))
}

/**
 * Reads a `Retry-After` header: seconds, or an HTTP date in any of the three
 * forms of RFC 9110.
 *
 * @param nowMs - the time that a date is measured from
 * @param capMs - the most to return
 * @returns milliseconds from now, 0 when the date is past; `undefined` when the header is neither
 */
export function parseRetryAfter(
  header: string | null | undefined,
  nowMs: number,
  capMs: number = RETRY_AFTER_CAP_MS,
): number | undefined {
  const text = header?.trim() ?? ""
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(Math.ceil(Number(text) * 1_000), capMs)
  const dateMs = parseHttpDate(text, nowMs)
  return dateMs === undefined ? undefined : Math.min(Math.max(0, dateMs - nowMs), capMs)
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

/** `Date.parse` is not used: it reads the third form in local time, and accepts much that is no HTTP date. */
const HTTP_DATES = [
  /^[a-z]{3}, (?<day>\d{2}) (?<month>[a-z]{3}) (?<year>\d{4}) (?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2}) gmt$/i,
  /^[a-z]{6,9}, (?<day>\d{2})-(?<month>[a-z]{3})-(?<year>\d{2}) (?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2}) gmt$/i,
  /^[a-z]{3} (?<month>[a-z]{3}) (?<day>[ \d]\d) (?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2}) (?<year>\d{4})$/i,
]

function parseHttpDate(text: string, nowMs: number): number | undefined {
  const groups = HTTP_DATES.map((form) => form.exec(text)?.groups).find((found) => found !== undefined)
  if (groups === undefined) return undefined
  const part = (name: string): number => Number(groups[name])
  const month = MONTHS.indexOf(String(groups["month"]).toLowerCase())
  const inRange = month >= 0 && part("day") >= 1 && part("day") <= 31 && part("hour") <= 23 && part("minute") <= 59
  if (!inRange || part("second") > 60) return undefined
  const year = groups["year"]?.length === 2 ? fullYear(part("year"), nowMs) : part("year")
  return Date.UTC(year, month, part("day"), part("hour"), part("minute"), part("second"))
}

/** The year of two digits that is at most 50 years ahead, as RFC 9110 has it, and less than 50 back. */
function fullYear(twoDigits: number, nowMs: number): number {
  const currentYear = new Date(nowMs).getUTCFullYear()
  const ahead = (twoDigits - (currentYear % 100) + 100) % 100
  return currentYear + (ahead > 50 ? ahead - 100 : ahead)
}
