import { flagRule, integerRule } from "../core/option-rules.ts"
import { listQueues as listQueueRows, type Queue } from "../store/list-queues.ts"
import { listWorkers as listWorkerRows, type WorkerDetails } from "../store/list-workers.ts"
import { measureQueues as measureQueueRows, type QueueMeasure } from "../store/measure-queues.ts"
import { pageLimitRule } from "./argument-rules.ts"
import { assertOptions } from "./assert-argument.ts"
import type { ClientRooms } from "./client-rooms.ts"

export interface ListWorkersFilter {
  /** Whether to list only those whose lease holds. Default: true. */
  readonly live?: boolean | undefined
  /** How many at most, from 1 to 500. Default: 50. */
  readonly limit?: number | undefined
}

export interface QueueMeasureOptions {
  /** How far to count the steps of a queue, from 1 to 1,000,000: where there are more, so many are told. Default: 10,000. */
  readonly countLimit?: number | undefined
}

/** All queues, by name, with what is in them now. */
export async function listQueues({ database }: ClientRooms): Promise<readonly Queue[]> {
  return await listQueueRows(database)
}

/** All queues, by name, with how long they are. */
export async function measureQueues(
  { database }: ClientRooms,
  options: QueueMeasureOptions = {},
): Promise<readonly QueueMeasure[]> {
  assertOptions("measureQueues", options, { countLimit: integerRule(1, 1_000_000) })
  return await measureQueueRows(database, options.countLimit ?? 10_000)
}

/** Workers, the newest first. */
export async function listWorkers(
  { database }: ClientRooms,
  filter: ListWorkersFilter = {},
): Promise<readonly WorkerDetails[]> {
  assertOptions("listWorkers", filter, { live: flagRule, limit: pageLimitRule })
  return await listWorkerRows(database, { live: filter.live ?? true, limit: filter.limit ?? 50 })
}
