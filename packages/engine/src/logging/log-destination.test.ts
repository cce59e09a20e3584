import { Writable } from "node:stream"
import { describe, expect, test } from "vitest"
import { createRedactor } from "../core/redact.ts"
import { silentSink } from "../core/events/event-sink.ts"
import { loggedEvents } from "../events/logged-events.ts"
import { createLogger } from "./create-logger.ts"
import { inOneWrite } from "./log-destination.ts"

/** A logger, and how many lines each of its writes had. */
function countingLogger() {
  const writes: number[] = []
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      writes.push(chunk.toString().split("\n").length - 1)
      done()
    },
  })
  const logger = createLogger({ destination, format: "json" })
  const say = (count: number): void => {
    for (let index = 0; index < count; index++) logger.info({ index }, "said")
  }
  return { logger, writes, say }
}

describe("inOneWrite", () => {
  test("writes the lines of one piece of work together, and all others at once", () => {
    const { say, writes } = countingLogger()
    say(2)
    expect(writes).toEqual([1, 1])
    inOneWrite(() => {
      say(2)
      inOneWrite(() => say(3))
      expect(writes).toEqual([1, 1])
    })
    say(1)
    expect(writes).toEqual([1, 1, 5, 1])
  })

  test("keeps two loggers apart, and writes before it holds too many", () => {
    const [one, other] = [countingLogger(), countingLogger()]
    inOneWrite(() => {
      one.say(250)
      other.say(1)
      expect(one.writes).toEqual([100, 100])
    })
    expect([one.writes, other.writes]).toEqual([[100, 100, 50], [1]])
  })

  test("what was said before the work threw is written", () => {
    const { say, writes } = countingLogger()
    const work = (): void => {
      say(2)
      throw new Error("no")
    }
    expect(() => inOneWrite(work)).toThrow("no")
    say(1)
    expect(writes).toEqual([2, 1])
  })

  test("a stream that throws harms nobody, and its lines are counted", () => {
    const written: string[] = []
    let isBroken = true
    const write = (text: string): boolean => {
      if (isBroken) throw new Error("no")
      written.push(text)
      return true
    }
    // What a host without a compiler may give.
    const destination = { write, writable: true, on: () => {} } as unknown as NodeJS.WritableStream
    const logger = createLogger({ destination, format: "json" })
    inOneWrite(() => {
      logger.info({}, "said")
      logger.info({}, "said")
    })
    isBroken = false
    logger.info({}, "said")
    expect(written.map((line) => JSON.parse(line) as object)).toMatchObject([{ message: "said" }, { dropped: 2 }])
  })

  test("is what a batch of events comes in", () => {
    const { logger, writes } = countingLogger()
    const events = loggedEvents(silentSink, logger, createRedactor())
    events.batch(() => {
      for (const worker of ["a", "b"]) events.publish("queue.paused", { queue: worker, by: null, reason: null })
    })
    expect(writes).toEqual([2])
  })
})
