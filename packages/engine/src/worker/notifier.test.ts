import { describe, expect, test } from "vitest"
import type { Queryable } from "../core/database.ts"
import { createNotifier } from "./notifier.ts"

function open(isEnabled = true) {
  const sent: unknown[] = []
  const database: Queryable = {
    query: async ({ values = [] }) => {
      sent.push(values[1])
      return []
    },
  }
  let time = 1_000
  const notifier = createNotifier({ database, origin: "me", isEnabled, now: () => time })
  return { notifier, sent, pass: (ms: number) => void (time += ms) }
}

describe("createNotifier", () => {
  test("says what it is told, the first at once and then gathered", async () => {
    const { notifier, sent } = open()
    notifier.notify("ready")
    expect(sent).toEqual(["ready:me"])
    notifier.notify("ended")
    notifier.notify("cancelled")
    notifier.notify("ended")
    await expect.poll(() => sent).toEqual(["ready:me", "ended,cancelled:me"])
    notifier.close()
  })

  test("says that history moves only while another process follows it", () => {
    const { notifier, sent, pass } = open()
    notifier.notify("moved")
    expect(notifier.read("followed:me")).toEqual([])
    notifier.notify("moved")
    expect(sent).toEqual([])
    expect(notifier.read("followed:other")).toEqual([])
    pass(29_999)
    notifier.notify("moved")
    expect(sent).toEqual(["moved:me"])
    notifier.close()
    pass(1)
    notifier.notify("moved")
    expect(sent).toEqual(["moved:me"])
  })

  test("reads what others say, and what plain SQL does", () => {
    const { notifier, sent } = open()
    expect(notifier.read("ready,moved:other")).toEqual(["ready", "moved"])
    expect(notifier.read("ready")).toEqual(["ready"])
    expect(notifier.read("ready:me")).toEqual([])
    expect(notifier.read("")).toEqual([])
    notifier.follow()
    expect(sent).toEqual(["followed:me"])
    notifier.close()
  })

  test("says nothing when it may not", () => {
    const { notifier, sent } = open(false)
    notifier.notify("ready")
    notifier.follow()
    expect(sent).toEqual([])
  })
})
