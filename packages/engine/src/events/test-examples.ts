import { expect } from "vitest"
import type { TaskerEvent } from "../core/events/event-map.ts"

/** Collects the events of a test file that the docs show. */
export interface EventExamples {
  /**
   * Keeps an event as the example of its name. What differs from run to run (ids, times, hosts) is replaced; `replaced`
   * says it for keys that only this event has.
   */
  keep(event: TaskerEvent, replaced?: Readonly<Record<string, unknown>>): void
  /**
   * Compares all that was kept with `examples/<file>.json`; `vitest -u` writes it. To be called by the last test of the
   * file: only when all of them ran is the list whole.
   */
  compare(file: string): Promise<void>
}

/** What stands in the place of what differs from run to run, by its key. `null` stays. */
const REPLACED: Readonly<Record<string, unknown>> = {
  durationMs: 42,
  bytes: 4_096,
  host: "worker-1.example",
  pid: 4_242,
  url: "postgres://tasker@db.example/tasker",
  stack: "…",
  cursor: "1042",
}

const AT = "2026-01-15T09:30:00.000Z"
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const WORKER_KEYS: ReadonlySet<string> = new Set(["workerId", "rescuedBy"])

/**
 * Makes a collector.
 *
 * @example
 * ```ts
 * const examples = collectExamples()
 * test("…", async () => examples.keep(await recorded.once("task.completed")))
 * test("the docs show these events", () => examples.compare("tasks"))
 * ```
 */
export function collectExamples(): EventExamples {
  const kept = new Map<string, unknown>()
  return {
    keep({ name, payload }, replaced = {}) {
      if (kept.has(name)) throw new Error(`two examples of "${name}"`)
      kept.set(name, { name, at: AT, payload: steady(payload, { ...REPLACED, ...replaced }) })
    },
    async compare(file) {
      const sorted = Object.fromEntries([...kept].toSorted(([one], [other]) => (one < other ? -1 : 1)))
      await expect(`${JSON.stringify(sorted, undefined, 2)}\n`).toMatchFileSnapshot(`./examples/${file}.json`)
    },
  }
}

/** The same in every run. Ids are numbered in the order in which they come. */
function steady(payload: unknown, replaced: Readonly<Record<string, unknown>>): unknown {
  const [ids, workers] = [new Map<unknown, number>(), new Map<unknown, number>()]
  const numberOf = (known: Map<unknown, number>, id: unknown): number => {
    if (!known.has(id)) known.set(id, known.size + 1)
    return known.get(id) ?? 0
  }
  const visit = (value: unknown, key: string): unknown => {
    if (value === null || value === undefined) return value
    if (Object.hasOwn(replaced, key)) return replaced[key]
    if (WORKER_KEYS.has(key)) return numberOf(workers, value)
    if (typeof value === "string") {
      return value
        .replaceAll(UUID, (id) => `01999999-0000-7000-8000-${String(numberOf(ids, id)).padStart(12, "0")}`)
        .replaceAll(/\bworker (\d+)/g, (_text, id: string) => `worker ${numberOf(workers, Number(id))}`)
    }
    if (value instanceof Date) return AT
    if (Array.isArray(value)) return value.map((item) => visit(item, key))
    if (typeof value !== "object") return value
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, visit(item, name)]))
  }
  return visit(payload, "")
}
