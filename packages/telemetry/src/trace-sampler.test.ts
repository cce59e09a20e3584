import { ROOT_CONTEXT, SpanKind, trace, TraceFlags } from "@opentelemetry/api"
import { SamplingDecision } from "@opentelemetry/sdk-trace-base"
import { describe, expect, test } from "vitest"
import { createTraceSampler, type SamplingOptions } from "./trace-sampler.ts"

const LOW = "00000000000000000000000000000001"
const HIGH = "00000000ffffffff0000000000000000"

/** A sampler on a clock that the test moves. */
function sampler(options: SamplingOptions) {
  let ms = 0
  const made = createTraceSampler(options, () => ms)
  const ask = (traceId: string, parentFlags?: TraceFlags, taskId?: string): boolean => {
    const parent = { traceId, spanId: "00f067aa0ba902b7", traceFlags: parentFlags ?? 0, isRemote: true }
    const context = parentFlags === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent)
    const attributes = taskId === undefined ? {} : { "tasker.task.id": taskId }
    const { decision } = made.shouldSample(context, traceId, "name", SpanKind.INTERNAL, attributes, [])
    return decision === SamplingDecision.RECORD_AND_SAMPLED
  }
  return { made, ask, pass: (by: number) => void (ms += by) }
}

const taskId = "0190a000-0000-7000-8000-0000000000aa"
const taskTrace = taskId.replaceAll("-", "")

describe("createTraceSampler", () => {
  test("follows what was decided where the trace began, whatever the ratio and the rate", () => {
    const { ask } = sampler({ ratio: 0, maxTracesPerSecond: 1 })
    for (let span = 0; span < 5; span++) expect(ask(LOW, TraceFlags.SAMPLED)).toBe(true)
    const all = sampler({ maxTracesPerSecond: null })
    expect(all.ask(LOW, TraceFlags.NONE)).toBe(false)
    expect(all.ask(LOW, TraceFlags.NONE, taskId)).toBe(false)
  })

  test("decides by ratio where a trace begins, by its id", () => {
    const { ask } = sampler({ ratio: 0.5, maxTracesPerSecond: null })
    expect([ask(LOW), ask(HIGH), ask(LOW)]).toEqual([true, false, true])
    expect(sampler({ maxTracesPerSecond: null }).ask(HIGH)).toBe(true)
    expect(sampler({ ratio: 0 }).ask(LOW)).toBe(false)
  })

  test("begins so many traces a second, and as many at once after a pause; 10 unless told otherwise", () => {
    const { ask, pass } = sampler({ maxTracesPerSecond: 2 })
    const begin = (count: number) => Array.from({ length: count }, () => ask(LOW)).filter(Boolean).length
    expect(begin(5)).toBe(2)
    pass(500)
    expect(begin(5)).toBe(1)
    pass(60_000)
    expect(begin(5)).toBe(2)
    const usual = sampler({})
    expect(Array.from({ length: 500 }, () => usual.ask(LOW)).filter(Boolean)).toHaveLength(10)
    const all = sampler({ maxTracesPerSecond: null })
    expect(Array.from({ length: 500 }, () => all.ask(LOW)).filter(Boolean)).toHaveLength(500)
  })

  test("a trace that the ratio leaves out takes nothing of the rate", () => {
    const { ask } = sampler({ ratio: 0.5, maxTracesPerSecond: 1 })
    expect([ask(HIGH), ask(HIGH), ask(LOW), ask(LOW)]).toEqual([false, false, true, false])
  })

  test("decides about a task without a creator's trace once, by the task's id", () => {
    const { ask, pass } = sampler({ maxTracesPerSecond: 1 })
    expect(ask(taskTrace, TraceFlags.SAMPLED, taskId)).toBe(true)
    const other = "0190a000-0000-7000-8000-0000000000ab"
    expect(ask(other.replaceAll("-", ""), TraceFlags.SAMPLED, other)).toBe(false)
    pass(10_000)
    // Its first steps were left out, so the others are too.
    expect(ask(other.replaceAll("-", ""), TraceFlags.SAMPLED, other)).toBe(false)
    expect(ask(taskTrace, TraceFlags.SAMPLED, taskId)).toBe(true)
    expect(sampler({ ratio: 0 }).ask(taskTrace, TraceFlags.SAMPLED, taskId)).toBe(false)
    // Of another task's trace it is no business of this rule's.
    expect(sampler({ ratio: 0 }).ask(LOW, TraceFlags.SAMPLED, taskId)).toBe(true)
  })

  test("keeps the decisions of the last 10,000 such tasks, and no more", () => {
    const { ask } = sampler({ maxTracesPerSecond: 1 })
    const decide = (number: number): boolean => {
      const id = `0190a000-0000-7000-8000-${number.toString(16).padStart(12, "0")}`
      return ask(id.replaceAll("-", ""), TraceFlags.SAMPLED, id)
    }
    expect(decide(0)).toBe(true)
    for (let number = 1; number < 10_000; number++) decide(number)
    expect(decide(0)).toBe(true)
    decide(10_000)
    expect(decide(0)).toBe(false)
  })

  test("says what it does", () => {
    expect(String(sampler({ ratio: 0.5 }).made)).toBe("TaskerSampler{ratio=0.5,maxTracesPerSecond=10}")
  })
})
