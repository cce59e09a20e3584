import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { Alarm } from "./alarm.ts"

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

test("it goes off once, at the earliest time that was asked for", () => {
  const onAlarm = vi.fn<() => void>()
  const alarm = new Alarm(onAlarm)
  alarm.setWithin(500)
  alarm.setWithin(100)
  alarm.setWithin(300)
  vi.advanceTimersByTime(99)
  expect(onAlarm).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1_000)
  expect(onAlarm).toHaveBeenCalledTimes(1)
})

test("it can be set from its own callback", () => {
  const onAlarm = vi.fn<() => void>(() => alarm.setWithin(100))
  const alarm = new Alarm(onAlarm)
  alarm.setWithin(100)
  vi.advanceTimersByTime(350)
  expect(onAlarm).toHaveBeenCalledTimes(3)
})

test("once stopped it neither goes off nor can be set: a stopped worker must not keep its process alive", () => {
  const onAlarm = vi.fn<() => void>()
  const alarm = new Alarm(onAlarm)
  alarm.setWithin(100)
  alarm.stop()
  alarm.setWithin(100)
  vi.advanceTimersByTime(1_000)
  expect(onAlarm).not.toHaveBeenCalled()
  expect(vi.getTimerCount()).toBe(0)
})
