import { expect } from "vitest"
import type { EventName, TaskerEvent } from "../core/events/event-map.ts"

/** How often what events of a name tell has happened. */
export type Occurrences = Readonly<Partial<Record<EventName, number>>>

export interface KeepOptions {
  /** What stands in the place of what differs from run to run, for keys that only these events have. */
  readonly replaced?: Readonly<Record<string, unknown>>
  /** Whether the examples are kept, or the events counted alone. Default: true. */
  readonly isKept?: boolean
}

/** Collects the events of a test file that the docs show. */
export interface EventExamples {
  /**
   * Counts the events of each name among all that was told, and keeps the first as the example of its name. What differs
   * from run to run (ids, times, hosts) is replaced.
   *
   * There is no other way to an example, and the reference has one of each event of the catalogue, or `npm run check`
   * fails: so each event has a test that makes it happen, and says how often, and fails when it is told once more or less.
   */
  keep(told: readonly TaskerEvent[], occurrences: Occurrences, options?: KeepOptions): void
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
 * test("…", async () => {
 *   await recorded.until("task.completed")
 *   examples.keep(recorded.all, { "task.completed": 1, "step.completed": 2 })
 * })
 * test("the docs show these events", () => examples.compare("tasks"))
 * ```
 */
export function collectExamples(): EventExamples {
  const kept = new Map<string, unknown>()
  return {
    keep(told, occurrences, { replaced = {}, isKept = true } = {}) {
      for (const [name, count] of Object.entries(occurrences)) {
        const found = told.filter((event) => event.name === name)
        expect(found, `"${name}" among ${told.map((event) => event.name).join(", ")}`).toHaveLength(count)
        const [first] = found
        if (first === undefined) throw new Error(`"${name}" has to happen for it to be shown`)
        if (!isKept) continue
        if (kept.has(name)) throw new Error(`two examples of "${name}"`)
        kept.set(name, { name, at: AT, payload: steady(first.payload, { ...REPLACED, ...replaced }) })
      }
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
