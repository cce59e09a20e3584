import { encodeJson } from "../core/json.ts"
import type { JsonValue } from "../core/schema.ts"
import type { TaskState } from "../core/state.ts"
import { listTasks as listTaskRows } from "../store/list-tasks.ts"
import type { TaskSummary } from "../store/task.ts"
import {
  cursorRule,
  dateRule,
  nameFilterRule,
  objectRule,
  pageLimitRule,
  tagOrTagsRule,
  taskStatesRule,
  versionTextRule,
} from "./argument-rules.ts"
import { assertOptions } from "./assert-argument.ts"
import type { ClientRooms } from "./client-rooms.ts"
import { listOf } from "./list-of.ts"
import { decodeCursor, encodeCursor } from "./page-cursor.ts"

/** Which tasks to list: all conditions together. */
export interface ListTasksFilter {
  readonly namespace?: string | undefined
  readonly workflow?: string | undefined
  /** An exact version. */
  readonly version?: string | undefined
  /** In one of these states. */
  readonly state?: TaskState | readonly TaskState[] | undefined
  /** With all of these tags. */
  readonly tag?: string | readonly string[] | undefined
  /** Whose attributes contain these. */
  readonly attributes?: Readonly<Record<string, JsonValue>> | undefined
  /** Created then or later. */
  readonly createdSince?: Date | undefined
  /** Created before. */
  readonly createdUntil?: Date | undefined
  /** `nextCursor` of the page before. Default: the first page. */
  readonly cursor?: string | undefined
  /** How many tasks a page has at most, from 1 to 500. Default: 50. */
  readonly limit?: number | undefined
}

export interface TasksPage {
  /** The newest first. */
  readonly tasks: readonly TaskSummary[]
  /** Asks for the next page; `null` on the last. */
  readonly nextCursor: string | null
}

const RULES = {
  namespace: nameFilterRule,
  workflow: nameFilterRule,
  version: versionTextRule,
  state: taskStatesRule,
  tag: tagOrTagsRule,
  attributes: objectRule,
  createdSince: dateRule,
  createdUntil: dateRule,
  cursor: cursorRule,
  limit: pageLimitRule,
}

/** Lists tasks, a page at a time. */
export async function listTasks(rooms: ClientRooms, filter: ListTasksFilter = {}): Promise<TasksPage> {
  assertOptions("listTasks", filter, RULES)
  const {
    namespace,
    workflow,
    version,
    state,
    tag,
    attributes,
    createdSince,
    createdUntil,
    cursor,
    limit = 50,
  } = filter
  const tasks = await listTaskRows(rooms.database, {
    namespace,
    workflow,
    version,
    states: listOf(state),
    tags: listOf(tag),
    attributes:
      attributes === undefined
        ? undefined
        : encodeJson(attributes, { what: "attributes", maxBytes: 65_536, code: "TASKER_OPTION_INVALID" }),
    since: createdSince,
    until: createdUntil,
    before: cursor === undefined ? undefined : decodeCursor(cursor),
    // One more tells whether there is a next page.
    limit: limit + 1,
  })
  const shown = tasks.slice(0, limit)
  const last = shown.at(-1)
  return { tasks: shown, nextCursor: tasks.length > limit && last !== undefined ? encodeCursor(last.taskId) : null }
}
