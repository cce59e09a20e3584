import type { QueueChange } from "../core/events/event-payloads.ts"
import { nameRule } from "../core/option-rules.ts"
import { limitQueue as limitQueueRow } from "../store/limit-queue.ts"
import type { OperatorNote } from "../store/operator.ts"
import { pauseQueue as pauseQueueRow } from "../store/pause-queue.ts"
import { queueLimitRule } from "./argument-rules.ts"
import { act, type Change, NOTE_RULES } from "./act.ts"
import { assertArgument, assertOptions } from "./assert-argument.ts"
import type { ClientRooms } from "./client-rooms.ts"

export async function pauseQueue(rooms: ClientRooms, queue: string, note: OperatorNote = {}): Promise<Change> {
  checkQueue("pauseQueue", queue, note)
  const change = await act(rooms, { queue }, [], (db) => pauseQueueRow(db, queue, true, note))
  if (change.changed) rooms.events.publish("queue.paused", queueChange(queue, note))
  return change
}

export async function resumeQueue(rooms: ClientRooms, queue: string, note: OperatorNote = {}): Promise<Change> {
  checkQueue("resumeQueue", queue, note)
  const change = await act(rooms, { queue }, ["ready"], (db) => pauseQueueRow(db, queue, false, note))
  if (change.changed) rooms.events.publish("queue.resumed", queueChange(queue, note))
  return change
}

export async function limitQueue(rooms: ClientRooms, queue: string, maxRunning: number | null): Promise<Change> {
  checkQueue("limitQueue", queue, {})
  assertArgument("maxRunning", maxRunning, queueLimitRule)
  const change = await act(rooms, { queue }, ["ready"], (db) => limitQueueRow(db, queue, maxRunning))
  if (change.changed) rooms.events.publish("queue.limited", { queue, maxRunning })
  return change
}

function queueChange(queue: string, { by, reason }: OperatorNote): QueueChange {
  return { queue, by: by ?? null, reason: reason ?? null }
}

function checkQueue(call: string, queue: string, note: OperatorNote): void {
  assertArgument("queue", queue, nameRule)
  assertOptions(call, note, NOTE_RULES)
}
