import { expect } from "vitest"
import type { EventName, EventNamed, TaskerEvent } from "../core/events/event-map.ts"
import type { Events } from "./events.ts"

/** All that happened in a Tasker since a test began to record. */
export interface EventRecorder {
  /** In the order in which it was told. */
  readonly all: readonly TaskerEvent[]
  /** The names, in that order; only those of `prefix` when it is given: `"step."`. */
  names(prefix?: string): readonly string[]
  /** The events of a name so far. */
  of<Name extends EventName>(name: Name): readonly EventNamed<Name>[]
  /** Waits until there are so many events of a name, and returns those that there are. Default: 1. */
  until<Name extends EventName>(name: Name, count?: number): Promise<readonly EventNamed<Name>[]>
  /** Waits for the event of a name, and for all else that was published; fails unless it was told exactly once. */
  once<Name extends EventName>(name: Name): Promise<EventNamed<Name>>
  /** Forgets what was recorded. */
  clear(): void
  /** Records no more. */
  stop(): void
}

/** How long a test waits for an event, in milliseconds. */
const PATIENCE_MS = 10_000

/**
 * Records what happens in a Tasker. Being a subscriber to everything, it makes everything be published.
 *
 * @example
 * ```ts
 * const recorded = recordEvents(tasker)
 * await runTask(tasker, processOrder, input)
 * const { payload } = await recorded.once("task.completed")
 * ```
 */
export function recordEvents({ events }: { readonly events: Pick<Events, "on" | "drained"> }): EventRecorder {
  const all: TaskerEvent[] = []
  let watchers: (() => void)[] = []
  const stop = events.on(
    "*",
    (event) => {
      all.push(event)
      for (const look of watchers) look()
    },
    { name: "recorder", maxPending: 1_000_000 },
  )
  // The name tells which event it is.
  const of = <Name extends EventName>(name: Name) => all.filter((event) => event.name === name) as EventNamed<Name>[]

  async function until<Name extends EventName>(name: Name, count = 1): Promise<readonly EventNamed<Name>[]> {
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (of(name).length < count) return
        clearTimeout(timer)
        watchers = watchers.filter((one) => one !== look)
        resolve()
      }
      const timer = setTimeout(() => {
        const found = all.map((event) => event.name).join(", ")
        reject(new Error(`not ${count} of "${name}" in ${PATIENCE_MS} ms, but: ${found}`))
      }, PATIENCE_MS)
      watchers.push(look)
      look()
    })
    return of(name)
  }

  return {
    all,
    names: (prefix = "") => all.map(({ name }) => name).filter((name) => name.startsWith(prefix)),
    of,
    until,
    async once(name) {
      await until(name)
      await events.drained()
      const found = of(name)
      expect(found, `"${name}" among ${all.map((one) => one.name).join(", ")}`).toHaveLength(1)
      // As many as were expected.
      return found[0] as (typeof found)[number]
    },
    clear: () => void all.splice(0),
    stop,
  }
}
