/**
 * How far a follower has come in history.
 *
 * Rows of history are numbered when they are written, and seen when they are
 * committed. So a row may appear below one that was seen before, in a gap between
 * the numbers. Whether one still may is known once every transaction that was
 * under way when the gap was seen has ended: a transaction has its own number,
 * and these grow, before it takes one for a row.
 */
export interface FeedPosition {
  /** The highest row that was delivered. */
  readonly head: number
  /** Rows below it that were not, and may still come. In order, none touching another. */
  readonly gaps: readonly FeedGap[]
}

/** The rows from `low` to `high`. */
export interface FeedGap {
  readonly low: number
  readonly high: number
  /** Each transaction that may fill it has a lower number than this. Undefined: not known yet. */
  readonly mark?: number | undefined
}

/** Higher than every row. */
export const LAST_ROW = Number.MAX_SAFE_INTEGER

/** Before the first row. */
export const BEGINNING: FeedPosition = { head: 0, gaps: [] }

/** What has not been delivered yet: the gaps, and all that comes after the head. */
export function unsettledRows({ head, gaps }: FeedPosition): readonly FeedGap[] {
  return [...gaps, { low: head + 1, high: LAST_ROW }]
}

/** The position once this row was delivered, too. */
export function passRow({ head, gaps }: FeedPosition, row: number): FeedPosition {
  if (row === head + 1) return { head: row, gaps }
  if (row > head) return { head: row, gaps: [...gaps, { low: head + 1, high: row - 1 }] }
  return { head, gaps: gaps.flatMap((gap) => (row < gap.low || row > gap.high ? [gap] : split(gap, row))) }
}

function split({ low, high, mark }: FeedGap, row: number): readonly FeedGap[] {
  const parts = [
    { low, high: row - 1, mark },
    { low: row + 1, high, mark },
  ]
  return parts.filter((part) => part.low <= part.high)
}

/** Says of gaps that were seen before now which transactions may fill them: those below `mark`, the newest of all. */
export function markGaps({ head, gaps }: FeedPosition, mark: number): FeedPosition {
  return { head, gaps: gaps.map((gap) => (gap.mark === undefined ? { ...gap, mark } : gap)) }
}

/**
 * Forgets gaps that nothing can fill any more.
 *
 * @param horizon - when the gaps were looked at, every transaction below this had ended
 * @param readTo - the gaps up to this row were looked at
 */
export function dropGaps({ head, gaps }: FeedPosition, horizon: number, readTo: number): FeedPosition {
  const isOpen = ({ high, mark = LAST_ROW }: FeedGap) => high > readTo || mark > horizon
  return { head, gaps: gaps.filter(isOpen) }
}

/** The most gaps that a cursor says apart. */
const MAX_GAPS = 100

/** A position as text, without what only the process needs that has it. Of many gaps, the nearest become one. */
export function encodePosition({ head, gaps }: FeedPosition, gapsText = encodeGaps(gaps)): string {
  return `${VERSION}.${digits(head)}${gapsText}`
}

/** The part of the text that says which gaps there are; for those who write many positions with the same ones. */
export function encodeGaps(gaps: readonly FeedGap[]): string {
  const ranges = joinNearest(gaps).map(
    ({ low, high }) => `.${digits(low)}${high > low ? `-${digits(high - low)}` : ""}`,
  )
  return ranges.join("")
}

/** The position that a text stands for; `undefined` when it is none that `encodePosition` made. */
export function decodePosition(text: string): FeedPosition | undefined {
  const [version, head, ...ranges] = text.split(".")
  if (version !== VERSION || head === undefined) return undefined
  const position = { head: Number.parseInt(head, RADIX), gaps: ranges.map(decodeGap) }
  return encodePosition(position) === text && isPosition(position) ? position : undefined
}

const VERSION = "1"
const RADIX = 36

function digits(value: number): string {
  return value.toString(RADIX)
}

function decodeGap(text: string): FeedGap {
  const [low = "", length = "0"] = text.split("-")
  const first = Number.parseInt(low, RADIX)
  return { low: first, high: first + Number.parseInt(length, RADIX) }
}

function isPosition({ head, gaps }: FeedPosition): boolean {
  const areInOrder = gaps.every(({ low, high }, index) => low > (gaps[index - 1]?.high ?? 0) && high >= low)
  return Number.isSafeInteger(head) && head >= 0 && areInOrder && (gaps.at(-1)?.high ?? -1) < head
}

/** At most as many gaps as a cursor has room for. What lies between those that become one may be delivered again. */
function joinNearest(gaps: readonly FeedGap[]): readonly FeedGap[] {
  if (gaps.length <= MAX_GAPS) return gaps
  const distances = gaps.slice(1).map((gap, index) => ({ index: index + 1, rows: gap.low - (gaps[index]?.high ?? 0) }))
  const joined = distances.toSorted((a, b) => a.rows - b.rows).slice(0, gaps.length - MAX_GAPS)
  const joints = new Set(joined.map(({ index }) => index))
  const result: { low: number; high: number }[] = []
  for (const [index, { low, high }] of gaps.entries()) {
    const last = result.at(-1)
    if (last !== undefined && joints.has(index)) last.high = high
    else result.push({ low, high })
  }
  return result
}
