import type { TaskState } from "../state.ts"
import type { TaskFacts } from "./event-payloads.ts"
import { type EventSink, silentSink } from "./event-sink.ts"

/** A task that has ended. All times are the database's. */
export interface EndedTaskFacts extends TaskFacts {
  readonly outcome: Exclude<TaskState, "pending" | "in_progress">
  readonly createdAt: Date
  /** When its first step was claimed; `null` when none ever was. */
  readonly startedAt: Date | null
  readonly finishedAt: Date
  /** The span that created it. */
  readonly traceContext: string | null
  /** The worker that ended it; `null` when a call did. */
  readonly workerId: number | null
}

/** Who is told what a change has done. */
export interface ChangeWatch {
  /** Told of every row of history that is no turn of a worker's: an operator's call, a rescue. */
  readonly events: EventSink
  /** Whether anybody asks for the tasks that the change ended. */
  readonly watchesEnds: () => boolean
  /** A task ended by the change, which is committed. */
  readonly onEnded: (task: EndedTaskFacts) => void
}

/** Tells nobody. */
export const unwatched: ChangeWatch = Object.freeze({ events: silentSink, watchesEnds: () => false, onEnded: () => {} })
