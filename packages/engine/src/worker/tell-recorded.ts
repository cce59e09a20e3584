import type { ChangeWatch } from "../core/events/change-watch.ts"
import { eventsOfTransition } from "../core/events/transition-event.ts"
import type { Recorded } from "../store/read-recorded.ts"

/** Tells what a commit of the worker's has changed, whose answer was lost. */
export function tellRecorded({ events, onEnded }: ChangeWatch, { transitions, endedTasks }: Recorded): void {
  for (const event of transitions.flatMap(eventsOfTransition)) events.deliver(event)
  for (const task of endedTasks) onEnded(task)
}
