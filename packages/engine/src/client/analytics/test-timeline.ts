import type { Database } from "../../core/database.ts"
import { at } from "../../store/test-clock.ts"
import { TestStore, type TestWorkflow } from "../../store/test-store.ts"
import { completed, type TestClaim, type TestOutcome, type TestWorker } from "../../store/test-worker.ts"

/** Tasks whose every moment was chosen, so that what is measured of them can be worked out by hand. */
export interface KnownTimeline {
  readonly store: TestStore
  readonly diamond: TestWorkflow
  readonly single: TestWorkflow
  /** By what becomes of them. */
  readonly tasks: Readonly<Record<"complete" | "failed" | "cancelled" | "running" | "quick", string>>
}

/** What moves a task: at that time, so many steps are claimed after these ended. */
interface Move {
  readonly at: number
  readonly ends?: Readonly<Record<string, "complete" | TestOutcomeMaker>>
  readonly room?: number
}

type TestOutcomeMaker = (claim: TestClaim) => TestOutcome

export const retryIn =
  (delayMs: number, code: string, message: string): TestOutcomeMaker =>
  (claim) => ({ claim, kind: "retry", value: { code, message }, delayMs })

export const failForGood =
  (code: string, message: string): TestOutcomeMaker =>
  (claim) => ({ claim, kind: "error", value: { code, message } })

/** Moves one task by hand. What else is ready may be claimed too, and takes room. */
export async function play(
  worker: TestWorker,
  workflow: TestWorkflow,
  moves: readonly Move[],
  store: TestStore,
  createdMs: number,
): Promise<string> {
  const taskId = await store.createTask(workflow, {}, at(createdMs))
  const held = new Map<string, TestClaim>()
  for (const { at: atMs, ends = {}, room = 0 } of moves) {
    const outcomes = Object.entries(ends).map(([name, end]) => {
      const claim = held.get(name)
      if (claim === undefined) throw new Error(`step "${name}" is not held at ${atMs}`)
      held.delete(name)
      return end === "complete" ? completed(claim) : end(claim)
    })
    const { claimed } = await worker.advance({ outcomes, room, now: at(atMs) })
    for (const claim of claimed) if (claim.taskId === taskId) held.set(claim.name, claim)
  }
  return taskId
}

/**
 * Plays, in milliseconds:
 *
 *     complete   created 0; a 100–300; b 350–650, c 350–800, both ready at 300; d 900–1000, ready at 800
 *     failed     created 2000; a 2000–2100 fails, 2600–2700; b 2700–2800 fails for good, c 2700–2750
 *     cancelled  created 5000; a 5100–5400, when it is cancelled
 *     running    created 6000; a since 6050
 *     quick      created 7000, of another workflow: only 7010–7030
 */
export async function playKnownTimeline(database: Database): Promise<KnownTimeline> {
  const store = new TestStore(database)
  const diamond = await store.define(
    {
      a: {},
      b: { dependsOn: ["a"], maxAttempts: 1 },
      c: { dependsOn: ["a"] },
      d: { dependsOn: ["b", "c"] },
    },
    { name: "diamond" },
  )
  const single = await store.define({ only: {} }, { name: "single" })
  const worker = await store.worker([diamond, single], { leaseMs: 3_600_000 })
  const complete = await play(
    worker,
    diamond,
    [
      { at: 100, room: 1 },
      { at: 300, ends: { a: "complete" } },
      { at: 350, room: 2 },
      { at: 650, ends: { b: "complete" } },
      { at: 800, ends: { c: "complete" } },
      { at: 900, room: 1 },
      { at: 1_000, ends: { d: "complete" } },
    ],
    store,
    0,
  )
  const failedTask = await play(
    worker,
    diamond,
    [
      { at: 2_000, room: 1 },
      { at: 2_100, ends: { a: retryIn(400, "BUSY", "no answer in 301 ms for 01a2092a-26bf-71fb-91ee-6ee2bdee7450") } },
      { at: 2_600, room: 1 },
      { at: 2_700, ends: { a: "complete" }, room: 2 },
      { at: 2_750, ends: { c: "complete" } },
      { at: 2_800, ends: { b: failForGood("BUSY", "no answer in 5 ms for 01a2092a-26bf-7389-a7a5-22ca89bf4b5f") } },
    ],
    store,
    2_000,
  )
  const cancelled = await play(worker, diamond, [{ at: 5_100, room: 1 }], store, 5_000)
  await store.call("cancel_task", [cancelled, null, null], at(5_400))
  const running = await play(worker, diamond, [{ at: 6_050, room: 1 }], store, 6_000)
  const quick = await play(
    worker,
    single,
    [
      { at: 7_010, room: 1 },
      { at: 7_030, ends: { only: "complete" } },
    ],
    store,
    7_000,
  )
  return { store, diamond, single, tasks: { complete, failed: failedTask, cancelled, running, quick } }
}

/** The same as `tasker.summarize_ms`, worked out another way. */
export function summaryOf(...durations: readonly number[]) {
  const sorted = durations.toSorted((a, b) => a - b)
  const percentile = (share: number): number => {
    const position = share * (sorted.length - 1)
    const [low = 0, high = 0] = [sorted[Math.floor(position)], sorted[Math.ceil(position)]]
    return low + (high - low) * (position - Math.floor(position))
  }
  const totalMs = durations.reduce((sum, duration) => sum + duration, 0)
  return {
    count: durations.length,
    totalMs,
    averageMs: totalMs / durations.length,
    p50Ms: percentile(0.5),
    p95Ms: percentile(0.95),
    p99Ms: percentile(0.99),
    maxMs: sorted.at(-1) ?? 0,
  }
}

/** Compares numbers to a millionth of a millisecond, since PostgreSQL and JavaScript add up in different orders. */
export function rounded<T>(value: T): T {
  // What was written is read back: the same but for its numbers.
  return JSON.parse(
    JSON.stringify(value, (_key, part: unknown) => (typeof part === "number" ? Math.round(part * 1e6) / 1e6 : part)),
  ) as T
}
