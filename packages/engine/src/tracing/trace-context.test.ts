import { createTraceState, isSpanContextValid, TraceFlags } from "@opentelemetry/api"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  decodeTraceContext,
  encodeFirstContext,
  encodeTraceContext,
  isLeftOut,
  ownTraceContext,
  taskTraceContext,
} from "./trace-context.ts"

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
const SPAN = "00f067aa0ba902b7"

describe("encodeTraceContext", () => {
  test("writes a W3C traceparent, and the tracestate behind it", () => {
    const context = { traceId: TRACE, spanId: SPAN, traceFlags: TraceFlags.SAMPLED }
    expect(encodeTraceContext(context)).toBe(`00-${TRACE}-${SPAN}-01`)
    const traceState = createTraceState("vendor=a,other=b c")
    expect(encodeTraceContext({ ...context, traceFlags: 0, traceState })).toBe(
      `00-${TRACE}-${SPAN}-00 vendor=a,other=b c`,
    )
  })

  test("what it writes is read again", () => {
    const hex = (length: number) => fc.stringMatching(new RegExp(`^[1-9a-f][0-9a-f]{${length - 1}}$`))
    fc.assert(
      fc.property(
        hex(32),
        hex(16),
        fc.nat(255),
        fc.constantFrom("", "a=1", "a=1,b=2 3"),
        (traceId, spanId, traceFlags, state) => {
          const text = encodeTraceContext({ traceId, spanId, traceFlags, traceState: createTraceState(state) })
          const read = decodeTraceContext(text)
          expect(read).toMatchObject({ traceId, spanId, traceFlags, isRemote: true })
          expect(read?.traceState?.serialize() ?? "").toBe(state)
        },
      ),
    )
  })
})

describe("decodeTraceContext", () => {
  test("a later version is read as far as it is known", () => {
    expect(decodeTraceContext(`01-${TRACE}-${SPAN}-01-new`)).toMatchObject({ traceId: TRACE, spanId: SPAN })
  })

  test.each([
    "",
    "here",
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01\n`,
    ` 00-${TRACE}-${SPAN}-01`,
  ])("what is none is nothing: %j", (text) => {
    expect(decodeTraceContext(text)).toBeUndefined()
  })
})

describe("taskTraceContext", () => {
  const taskId = "0190a000-0000-7000-8000-0000000000aa"

  test("is what is stored, and else the task's own, the same for everybody", () => {
    expect(taskTraceContext(taskId, `00-${TRACE}-${SPAN}-00`)).toMatchObject({ traceId: TRACE, traceFlags: 0 })
    for (const stored of [null, "something else"])
      expect(taskTraceContext(taskId, stored)).toEqual(ownTraceContext(taskId))
  })

  test("a task's own trace has its id, and is valid", () => {
    const own = ownTraceContext(taskId)
    expect(own.traceId).toBe("0190a0000000700080000000000000aa")
    expect(isSpanContextValid(own)).toBe(true)
  })
})

describe("isLeftOut", () => {
  const taskId = "0190a000-0000-7000-8000-0000000000aa"

  test("says so when the creator's trace is not recorded, and only then", () => {
    const of = (flags: string, more = "") => isLeftOut(`00-${TRACE}-${SPAN}-${flags}${more}`)
    expect(["00", "02", "fe"].map((flags) => of(flags))).toEqual([true, true, true])
    expect(["01", "03", "ff"].map((flags) => of(flags))).toEqual([false, false, false])
    expect([of("00", " a=b"), of("01", " a=b"), of("00", "x")]).toEqual([true, false, false])
    expect([isLeftOut(null), isLeftOut("something else")]).toEqual([false, false])
  })

  test("of a trace that begins with the task only that is kept, and the task's id stands for it", () => {
    const first = { traceId: TRACE, spanId: SPAN, traceFlags: TraceFlags.NONE }
    const stored = encodeFirstContext(first)
    expect(stored).toBe("00")
    expect(isLeftOut(stored)).toBe(true)
    expect(taskTraceContext(taskId, stored)).toEqual({ ...ownTraceContext(taskId), traceFlags: TraceFlags.NONE })
    const recorded = { ...first, traceFlags: TraceFlags.SAMPLED }
    expect(encodeFirstContext(recorded)).toBe(encodeTraceContext(recorded))
  })
})
