import { describe, expect, test } from "vitest"
import { silentLogger } from "../core/logger.ts"
import { createRedactor } from "../core/redact.ts"
import { createGate } from "../testing.ts"
import { EventBus } from "./event-bus.ts"
import { noFeeds } from "./test-feeds.ts"
import { createEvents } from "./events.ts"
import { collectExamples } from "./test-examples.ts"
import { recordEvents } from "./test-recorder.ts"

const examples = collectExamples()

function open() {
  const bus = new EventBus({ now: () => new Date(), logger: silentLogger, redact: createRedactor() })
  const events = createEvents(bus, noFeeds, () => [])
  const publish = () => bus.publish("worker.stopping", { workerId: 1, worker: "w" })
  return { bus, events, publish, recorded: recordEvents({ events }) }
}

describe("what is told of subscribers", () => {
  test("one that throws", async () => {
    const { events, publish, recorded } = open()
    const fail = () => {
      throw new TypeError("channel is undefined")
    }
    events.on("worker.*", fail, { name: "slack" })
    publish()
    await recorded.once("subscriber.failed")
    examples.keep(recorded.all, { "subscriber.failed": 1 })
  })

  test("one that hangs", async () => {
    const { events, publish, recorded } = open()
    events.on("worker.*", () => new Promise(() => {}), { name: "slack", timeoutMs: 1 })
    publish()
    await recorded.once("subscriber.timed_out")
    examples.keep(recorded.all, { "subscriber.timed_out": 1 })
  })

  test("one that is too slow", async () => {
    const { events, publish, recorded } = open()
    const gate = createGate()
    const stop = events.on("worker.*", () => gate.pass(), { name: "slack", maxPending: 1 })
    publish()
    await gate.reached()
    for (let index = 0; index < 4; index++) publish()
    // At the latest then; else once a second.
    stop()
    const event = await recorded.once("subscriber.overflowed")
    expect(event.payload.droppedCount).toBe(3)
    examples.keep(recorded.all, { "subscriber.overflowed": 1 })
    gate.open()
  })

  test("the docs show these events", () => examples.compare("subscribers"))
})
