import type { OperatorNote } from "../store/operator.ts"
import { cancelTask as cancelTaskRow } from "../store/cancel-task.ts"
import { pauseTask as pauseTaskRow } from "../store/pause-task.ts"
import { resolveTask as resolveTaskRow } from "../store/resolve-task.ts"
import { resumeTask as resumeTaskRow } from "../store/resume-task.ts"
import { retrySteps } from "../store/retry-steps.ts"
import { act, type Change, NOTE_RULES } from "./act.ts"
import { assertOptions } from "./assert-argument.ts"
import type { ClientRooms } from "./client-rooms.ts"
import { taskIdOf, type TaskReference } from "./task-reference.ts"

export async function cancelTask(rooms: ClientRooms, task: TaskReference, note: OperatorNote = {}): Promise<Change> {
  const taskId = checkTask("cancelTask", task, note)
  return await act(rooms, { taskId }, ["cancelled", "ended"], (db) => cancelTaskRow(db, taskId, note))
}

export async function pauseTask(rooms: ClientRooms, task: TaskReference, note: OperatorNote = {}): Promise<Change> {
  const taskId = checkTask("pauseTask", task, note)
  return await act(rooms, { taskId }, ["moved"], (db) => pauseTaskRow(db, taskId, note))
}

export async function resumeTask(rooms: ClientRooms, task: TaskReference, note: OperatorNote = {}): Promise<Change> {
  const taskId = checkTask("resumeTask", task, note)
  return await act(rooms, { taskId }, ["ready"], (db) => resumeTaskRow(db, taskId, note))
}

export async function retryTask(rooms: ClientRooms, task: TaskReference, note: OperatorNote = {}): Promise<Change> {
  const taskId = checkTask("retryTask", task, note)
  return await act(rooms, { taskId }, ["ready"], (db) => retrySteps(db, taskId, null, note))
}

export async function resolveTask(rooms: ClientRooms, task: TaskReference, note: OperatorNote = {}): Promise<Change> {
  const taskId = checkTask("resolveTask", task, note)
  return await act(rooms, { taskId }, ["ended"], (db) => resolveTaskRow(db, taskId, note))
}

function checkTask(call: string, task: TaskReference, note: OperatorNote): string {
  const taskId = taskIdOf(task)
  assertOptions(call, note, NOTE_RULES)
  return taskId
}
