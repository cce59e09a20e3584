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
  return await act(rooms, { queue }, [], () => pauseQueueRow(rooms.database, queue, true, note))
}

export async function resumeQueue(rooms: ClientRooms, queue: string, note: OperatorNote = {}): Promise<Change> {
  checkQueue("resumeQueue", queue, note)
  return await act(rooms, { queue }, ["ready"], () => pauseQueueRow(rooms.database, queue, false, note))
}

export async function limitQueue(rooms: ClientRooms, queue: string, maxRunning: number | null): Promise<Change> {
  checkQueue("limitQueue", queue, {})
  assertArgument("maxRunning", maxRunning, queueLimitRule)
  return await act(rooms, { queue }, ["ready"], () => limitQueueRow(rooms.database, queue, maxRunning))
}

function checkQueue(call: string, queue: string, note: OperatorNote): void {
  assertArgument("queue", queue, nameRule)
  assertOptions(call, note, NOTE_RULES)
}
