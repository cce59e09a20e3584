import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { measureParallelism } from "./parallelism.ts"
import type { AttemptSpan } from "./timeline.ts"

const span = (startMs: number, endMs: number | null): AttemptSpan => ({ startMs, endMs, outcome: null })

describe(measureParallelism, () => {
  test("counts what runs at once, on average and at most, and how long nothing did", () => {
    // ··AAAA····
    // ····BBBB··
    // ··········CC
    expect(measureParallelism([span(20, 60), span(40, 80), span(100, 120)], 500)).toEqual({
      maxRunning: 2,
      averageRunning: 1,
      busyMs: 100,
      wallMs: 100,
      idleMs: 20,
      efficiency: 0.5,
    })
  })

  test("a step that starts in the moment in which another ends has taken its place", () => {
    expect(measureParallelism([span(0, 10), span(10, 20), span(20, 30)], 30)).toMatchObject({
      maxRunning: 1,
      averageRunning: 1,
      idleMs: 0,
      efficiency: 1,
    })
  })

  test("what runs still runs until now", () => {
    expect(measureParallelism([span(0, 100), span(50, null)], 200)).toMatchObject({ busyMs: 250, wallMs: 200 })
  })

  test("says that there is nothing to say when nothing ran for any time", () => {
    const nothing = { maxRunning: 0, averageRunning: null, busyMs: 0, wallMs: 0, idleMs: 0, efficiency: null }
    expect(measureParallelism([], 10)).toEqual(nothing)
    expect(measureParallelism([span(5, 5), span(10, null)], 10)).toEqual(nothing)
  })

  test("agrees with looking at every millisecond", () => {
    const spans = fc.array(
      fc.tuple(fc.nat(40), fc.nat(20)).map(([start, length]) => span(start, start + length)),
      { minLength: 1, maxLength: 15 },
    )
    fc.assert(
      fc.property(spans, (attempts) => {
        const counts = Array.from(
          { length: 60 },
          (_, ms) => attempts.filter(({ startMs, endMs }) => startMs <= ms && ms < (endMs ?? 0)).length,
        )
        const first = counts.findIndex((count) => count > 0)
        const last = counts.findLastIndex((count) => count > 0)
        const wall = first === -1 ? [] : counts.slice(first, last + 1)
        const found = measureParallelism(attempts, 60)
        expect(found.maxRunning).toBe(Math.max(0, ...counts))
        expect(found.busyMs).toBe(counts.reduce((sum, count) => sum + count, 0))
        expect(found.wallMs).toBe(wall.length)
        expect(found.idleMs).toBe(wall.filter((count) => count === 0).length)
      }),
    )
  })
})
