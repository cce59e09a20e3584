import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  BEGINNING,
  decodePosition,
  dropGaps,
  encodePosition,
  type FeedPosition,
  LAST_ROW,
  markGaps,
  passRow,
  unsettledRows,
} from "./feed-position.ts"

function passed(...rows: readonly number[]): FeedPosition {
  return rows.reduce(passRow, BEGINNING)
}

/** Up to `last`, what was not delivered. */
function missing(position: FeedPosition, last: number): readonly number[] {
  const rows = Array.from({ length: last }, (_row, index) => index + 1)
  return rows.filter((row) => unsettledRows(position).some(({ low, high }) => row >= low && row <= high))
}

describe("passRow", () => {
  it("moves on, leaves a gap where rows are missing, and closes it row by row", () => {
    expect(passed(1, 2, 6)).toEqual({ head: 6, gaps: [{ low: 3, high: 5 }] })
    expect(passed(1, 2, 6, 4)).toEqual({
      head: 6,
      gaps: [
        { low: 3, high: 3 },
        { low: 5, high: 5 },
      ],
    })
    expect(passed(1, 2, 6, 4, 3, 5)).toEqual({ head: 6, gaps: [] })
  })

  it("whatever the order, exactly what did not come is missing", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 60 })), (rows) => {
        const expected = Array.from({ length: 60 }, (_row, index) => index + 1).filter((row) => !rows.includes(row))
        expect(missing(passed(...rows), 60)).toEqual(expected)
      }),
    )
  })
})

describe("dropGaps", () => {
  const seen = passed(1, 5)

  it("drops no gap before it is known who may fill it, nor while somebody may", () => {
    expect(dropGaps(seen, 1_000, LAST_ROW)).toEqual(seen)
    const marked = markGaps(seen, 100)
    expect(dropGaps(marked, 99, LAST_ROW)).toEqual(marked)
    expect(dropGaps(marked, 100, LAST_ROW)).toEqual({ head: 5, gaps: [] })
  })

  it("drops no gap that was not read to its end", () => {
    const marked = markGaps(seen, 100)
    expect(dropGaps(marked, 100, 3)).toEqual(marked)
    expect(dropGaps(marked, 100, 4).gaps).toEqual([])
  })

  it("a mark holds for the gaps that were there, and for what is left of them, but not for later ones", () => {
    const later = passRow(passRow(markGaps(seen, 100), 3), 9)
    expect(later.gaps).toMatchObject([
      { low: 2, high: 2, mark: 100 },
      { low: 4, high: 4, mark: 100 },
      { low: 6, high: 8 },
    ])
    expect(dropGaps(later, 500, LAST_ROW).gaps).toEqual([{ low: 6, high: 8 }])
    expect(markGaps(later, 200).gaps.map(({ mark }) => mark)).toEqual([100, 100, 200])
  })
})

describe("a cursor", () => {
  it("stands for the same position", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: LAST_ROW - 1 }), { maxLength: 50 }), (rows) => {
        const position = passed(...rows)
        expect(decodePosition(encodePosition(markGaps(position, 7)))).toEqual(position)
      }),
    )
  })

  it("is short, and easily carried in a header or a URL", () => {
    expect(encodePosition(BEGINNING)).toBe("1.0")
    expect(encodePosition(passed(1_000_000, 1_000_002))).toBe("1.lflu.1-lflq.lflt")
  })

  it("of many gaps joins the nearest, so that nothing is left out of what comes again", () => {
    // Wide apart, but for the first hundred.
    const rows = [
      ...Array.from({ length: 150 }, (_row, index) => 2 * (index + 1)),
      ...Array.from({ length: 60 }, (_row, index) => 400 + 10 * (index + 1)),
    ]
    const position = passed(...rows.toSorted((a, b) => a - b))
    const decoded = decodePosition(encodePosition(position))
    expect(decoded?.gaps).toHaveLength(100)
    expect(decoded?.head).toBe(position.head)
    const again = missing(decoded ?? BEGINNING, 1_000)
    expect(missing(position, 1_000).filter((row) => !again.includes(row))).toEqual([])
  })

  it.each([
    "",
    "1",
    "1.",
    "2.5",
    "1.-1",
    "1.zz.zz",
    "1.a.b",
    "1.a.5-9",
    "1.a.4.3",
    "1.a.4-2.5",
    "1.a.3-0",
    "1.a.3-",
    "1.A",
    "1.0.1",
    "1.5.0",
    "now",
    "1.zzzzzzzzzzzzzzzzzz",
    "dGFza3M6",
  ])("is refused when it is none: %j", (text) => {
    expect(decodePosition(text)).toBeUndefined()
  })

  it("never makes a position of any text but one that it wrote", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^1(\.[0-9a-z-]{0,3}){0,4}$/), (text) => {
        const position = decodePosition(text)
        if (position !== undefined) expect(encodePosition(position)).toBe(text)
      }),
    )
  })
})
