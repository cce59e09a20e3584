import { eventError } from "../core/events/event-error.ts"
import type { StartedWorker, WorkerFacts } from "../core/events/event-payloads.ts"
import type { EventSink } from "../core/events/event-sink.ts"
import type { Lane } from "./lane.ts"

/** Tells what becomes of one worker. */
export interface WorkerTeller {
  started(facts: Omit<StartedWorker, keyof WorkerFacts>): void
  heartbeat(lanes: readonly Lane[], durationMs: number): void
  disconnected(error: unknown): void
  leaseLost(error: unknown): void
  recovered(durationMs: number): void
  /** It took the steps of another worker back. */
  rescued(lostWorkerId: number, stepCount: number): void
  stopping(): void
  /** @param handedBackCount - `null` when the database was away */
  stopped(handedBackCount: number | null): void
}

/** @param facts - who it is now: it gets another id when its lease was lost */
export function tellWorker(events: EventSink, facts: () => WorkerFacts): WorkerTeller {
  return {
    started: (own) => events.publish("worker.started", { ...facts(), ...own }),
    heartbeat(lanes, durationMs) {
      if (!events.wants("worker.heartbeat")) return
      const runningCount = lanes.reduce((sum, lane) => sum + lane.runningCount, 0)
      const room = lanes.reduce((sum, lane) => sum + lane.room, 0)
      events.publish("worker.heartbeat", { ...facts(), runningCount, room, durationMs })
    },
    disconnected: (error) => events.publish("worker.disconnected", { ...facts(), error: eventError(error) }),
    leaseLost: (error) => events.publish("worker.lease_lost", { ...facts(), error: eventError(error) }),
    recovered: (durationMs) => events.publish("worker.recovered", { ...facts(), durationMs }),
    rescued: (workerId, stepCount) =>
      events.publish("worker.lost", { workerId, stepCount, rescuedBy: facts().workerId }),
    stopping: () => events.publish("worker.stopping", facts()),
    stopped: (handedBackCount) => events.publish("worker.stopped", { ...facts(), handedBackCount }),
  }
}
