import fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  DEFAULT_BACKOFF,
  delayBeforeAttempt,
  MAX_DELAY_MS,
  parseRetryAfter,
  RETRY_AFTER_CAP_MS,
} from "./retry-policy.ts"

const random = { lowest: () => 0, middle: () => 0.5, highest: () => 1 }

describe(delayBeforeAttempt, () => {
  test.each([
    [2, 1_000],
    [3, 2_000],
    [4, 4_000],
    [6, 16_000],
    [7, 30_000],
    [100, 30_000],
  ])("before attempt %i the default is %i ms", (attempt, delayMs) => {
    expect(delayBeforeAttempt(attempt, DEFAULT_BACKOFF, random.middle)).toBe(delayMs)
  })

  test("the jitter makes it up to a tenth shorter or longer", () => {
    expect(delayBeforeAttempt(2, DEFAULT_BACKOFF, random.lowest)).toBe(900)
    expect(delayBeforeAttempt(2, DEFAULT_BACKOFF, random.highest)).toBe(1_100)
  })

  test("what the server asks for comes first, without jitter", () => {
    expect(delayBeforeAttempt(2, DEFAULT_BACKOFF, random.highest, 120_000)).toBe(120_000)
    expect(delayBeforeAttempt(2, DEFAULT_BACKOFF, random.highest, 0)).toBe(0)
    expect(delayBeforeAttempt(2, DEFAULT_BACKOFF, random.highest, 1e300)).toBe(MAX_DELAY_MS)
  })

  test.each([-1, Number.NaN])("a wish of %d is no wish", (retryAfterMs) => {
    expect(delayBeforeAttempt(2, DEFAULT_BACKOFF, random.middle, retryAfterMs)).toBe(1_000)
  })

  test("of a list each attempt takes its delay, and the last one repeats", () => {
    const backoff = { delaysMs: [10, 50, 200], jitter: 0 }

    expect([2, 3, 4, 5, 99].map((attempt) => delayBeforeAttempt(attempt, backoff, random.highest))).toEqual([
      10, 50, 200, 200, 200,
    ])
    expect(delayBeforeAttempt(2, { delaysMs: [], jitter: 0 }, random.middle)).toBe(0)
  })

  test("a base of 0 is no delay, however large the factor gets", () => {
    expect(delayBeforeAttempt(1_000, { baseMs: 0, capMs: 10, factor: 100, jitter: 0 }, random.middle)).toBe(0)
  })

  test("before the first attempt it is as before the second", () => {
    expect(delayBeforeAttempt(1, DEFAULT_BACKOFF, random.middle)).toBe(1_000)
  })

  test("any delay is a whole number within the jitter of min(cap, base·factor^(n-2))", () => {
    const backoffs = fc.record({
      baseMs: fc.nat(MAX_DELAY_MS),
      capMs: fc.nat(MAX_DELAY_MS),
      factor: fc.double({ min: 1, max: 100, noNaN: true }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 100 }),
        backoffs,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, backoff, dice) => {
          const { baseMs, capMs, factor, jitter } = backoff
          let plain = baseMs
          for (let attempt = 2; attempt < n; attempt++) plain = Math.min(plain * factor, capMs)
          plain = Math.min(plain, capMs)
          const delay = delayBeforeAttempt(n, backoff, () => dice)

          expect(Number.isInteger(delay)).toBe(true)
          // Repeated multiplication and a power differ in the last bits.
          const slack = 1 + plain * 1e-9
          expect(delay).toBeGreaterThanOrEqual(Math.min(plain * (1 - jitter), MAX_DELAY_MS) - slack)
          expect(delay).toBeLessThanOrEqual(Math.min(plain * (1 + jitter) + slack, MAX_DELAY_MS))
          expect(delay).toBeGreaterThanOrEqual(0)
        },
      ),
    )
  })
})

describe(parseRetryAfter, () => {
  const nowMs = Date.UTC(1994, 10, 6, 8, 49, 0)

  test.each([
    ["120", 120_000],
    [" 3 ", 3_000],
    ["0", 0],
    ["1.5", 1_500],
    ["999999999999999", RETRY_AFTER_CAP_MS],
    ["Sun, 06 Nov 1994 08:49:37 GMT", 37_000],
    ["Sunday, 06-Nov-94 08:49:37 GMT", 37_000],
    ["Sun Nov  6 08:49:37 1994", 37_000],
    ["Sun, 06 Nov 1994 08:48:00 GMT", 0],
    ["Sun, 06 Nov 2094 08:48:00 GMT", RETRY_AFTER_CAP_MS],
    ["Saturday, 06-Nov-60 08:49:37 GMT", 0],
    ["Monday, 06-Nov-43 08:49:37 GMT", RETRY_AFTER_CAP_MS],
  ])("%j means %i ms", (header, delayMs) => {
    expect(parseRetryAfter(header, nowMs)).toBe(delayMs)
  })

  test("a cap is obeyed", () => {
    expect(parseRetryAfter("120", nowMs, 5_000)).toBe(5_000)
    expect(parseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", nowMs, 5_000)).toBe(5_000)
  })

  test.each([
    null,
    undefined,
    "",
    "soon",
    "-5",
    "1e3",
    "0x10",

    "1994-11-06T08:49:37Z",
    "Sun, 06 Foo 1994 08:49:37 GMT",
    "Sun, 32 Nov 1994 08:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:49:37 GMT",
    "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT",
    "Sun, 06 Nov 1994 08:49:37 CET",
  ])("%j means nothing", (header) => {
    expect(parseRetryAfter(header, nowMs)).toBeUndefined()
  })

  test("every date that JavaScript writes as UTC is read", () => {
    const dates = fc.date({ min: new Date(0), max: new Date("2999-12-31"), noInvalidDate: true })
    fc.assert(
      fc.property(dates, (date) => {
        const seconds = Math.floor(date.getTime() / 1_000)
        expect(parseRetryAfter(date.toUTCString(), 0, Number.POSITIVE_INFINITY)).toBe(seconds * 1_000)
      }),
    )
  })
})
