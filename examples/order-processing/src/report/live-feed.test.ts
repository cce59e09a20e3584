import type { StepState, Transition } from "@tasker/engine"
import { expect, test } from "vitest"
import { startLiveFeed } from "./live-feed.ts"
import { createPaint } from "./paint.ts"
import { stepRuns } from "./step-runs.ts"

let lastId = 0

function transition(ms: number, step: string | null, to: StepState, more: Partial<Transition> = {}): Transition {
  lastId += 1
  const nothing = { from: null, attempt: null, workerId: null, cause: null, by: null, reason: null, error: null }
  return { transitionId: lastId, at: new Date(ms), step, to, ...nothing, event: null, ...more }
}

const error = { code: "HTTP_503", message: "busy" }
const history = [
  transition(1_000, null, "pending"),
  transition(1_010, null, "in_progress", { from: "pending" }),
  transition(1_010, "charge", "in_progress", { attempt: 1 }),
  transition(1_110, "charge", "waiting_for_retry", { attempt: 1, error }),
  transition(1_410, "charge", "in_progress", { attempt: 2 }),
  transition(1_510, "charge", "error", { attempt: 2, error }),
  transition(1_510, null, "error", { from: "in_progress" }),
  transition(2_000, "charge", "resolved_manually", { by: "maria", reason: "paid" }),
  transition(2_000, null, "in_progress", { from: "error" }),
  transition(2_000, "send", "in_progress", { attempt: 1 }),
  transition(2_250, "send", "complete", { attempt: 1 }),
  transition(2_250, null, "complete", { from: "in_progress" }),
]

function startFeed(getHistory: (taskId: string) => Promise<readonly Transition[]>) {
  const lines: string[] = []
  const print = (line: string): void => void lines.push(line)
  const feed = startLiveFeed({ print, paint: createPaint(false), getHistory, maxAttempts: () => 2 })
  return { lines, feed }
}

function createSignal() {
  let send = (): void => {}
  const sent = new Promise<void>((resolve) => (send = resolve))
  return { sent, send: () => send() }
}

test("the feed prints a task's life, with its failures, its waits and who helped", async () => {
  const { lines, feed } = startFeed(async () => history)
  feed.follow({ taskId: "a", label: "#1", index: 0 })
  await feed.stop()
  expect(lines).toEqual([
    "  0.00 s  #1                      ● created",
    "  0.11 s  #1   charge             ✗ attempt 1 of 2: busy",
    "  0.41 s  #1   charge             ↻ attempt 2 of 2, after waiting 0.30 s",
    "  0.51 s  #1   charge             ✗ attempt 2 of 2, and no more: busy",
    "  0.51 s  #1                      ● stopped: a step failed for good",
    "  1.00 s  #1   charge             ◆ resolved by maria: paid",
    "  1.00 s  #1                      ● goes on",
    "  1.25 s  #1   send               ✔ in 0.25 s",
    "  1.25 s  #1                      ● complete",
  ])
})

test("nothing is printed twice, and what was read late still comes in the order of the clock", async () => {
  let polls = 0
  const polledTwice = createSignal()
  const late = [transition(5, null, "pending"), transition(7, null, "cancelled", { from: "pending" })]
  const { lines, feed } = startFeed(async (taskId) => {
    if (taskId === "late") return polls === 0 ? [] : late
    polls += 1
    if (polls === 2) polledTwice.send()
    return [transition(1, null, "pending"), transition(9, null, "complete", { from: "in_progress" })]
  })
  feed.follow({ taskId: "late", label: "#2", index: 1 })
  feed.follow({ taskId: "early", label: "#1", index: 0 })
  await polledTwice.sent
  await feed.stop()
  expect(lines.map((line) => line.replace(/.* s +/, ""))).toEqual([
    expect.stringMatching(/^#1 .*created/),
    expect.stringMatching(/^#2 .*created/),
    expect.stringMatching(/^#2 .*cancelled/),
    expect.stringMatching(/^#1 .*complete/),
  ])
})

test("whoever stops the feed hears that it could not read", async () => {
  const { feed } = startFeed(() => Promise.reject(new Error("the database is away")))
  feed.follow({ taskId: "a", label: "#1", index: 0 })
  await expect(feed.stop()).rejects.toThrow("the database is away")
})

test("the runs of the steps, in the order that was asked for", () => {
  expect(stepRuns(history, ["send", "charge"])).toEqual([
    { name: "send", resolvedMs: null, attempts: [{ attempt: 1, startMs: 1_000, endMs: 1_250, failure: null }] },
    {
      name: "charge",
      resolvedMs: 1_000,
      attempts: [
        { attempt: 1, startMs: 10, endMs: 110, failure: "503" },
        { attempt: 2, startMs: 410, endMs: 510, failure: "503" },
      ],
    },
  ])
})
