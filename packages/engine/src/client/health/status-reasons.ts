import type { StatusReason, StatusThresholds, SystemStatus } from "./system-status.ts"

type Facts = Pick<SystemStatus, "recent" | "queues" | "workers" | "pool" | "database">

/** Which thresholds are crossed. */
export function reasonsOf(facts: Facts, thresholds: StatusThresholds): readonly StatusReason[] {
  return candidatesOf(facts, thresholds).flatMap(({ threshold, value, message }) => {
    const limit = thresholds[threshold]
    return value !== null && limit !== null && value > limit ? [{ threshold, value, limit, message }] : []
  })
}

interface Candidate {
  readonly threshold: StatusReason["threshold"]
  /** `null` when there is nothing to compare. */
  readonly value: number | null
  readonly message: string
}

function candidatesOf(facts: Facts, { minCount }: StatusThresholds): readonly Candidate[] {
  return [
    ...queueCandidates(facts.queues),
    {
      threshold: "overdueWorkers",
      value: facts.workers.overdue,
      message: `the lease of ${facts.workers.overdue} workers ran out, and nobody has taken their steps back`,
    },
    ...rateCandidates(facts.recent, minCount),
    {
      threshold: "poolWaiting",
      value: facts.pool?.waiting ?? null,
      message: `${facts.pool?.waiting} calls of this process wait for one of ${facts.pool?.size} connections`,
    },
    ...databaseCandidates(facts.database),
  ]
}

function queueCandidates(all: Facts["queues"]): readonly Candidate[] {
  const queues = all.filter(({ pausedAt, readySteps }) => pausedAt === null && readySteps > 0)
  const unserved = queues.filter(({ liveWorkers }) => liveWorkers === 0).map(({ name }) => `"${name}"`)
  const [oldest] = queues
    .flatMap(({ name, oldestReady }) => (oldestReady === null ? [] : [{ name, ...oldestReady }]))
    .toSorted((a, b) => b.ageMs - a.ageMs)
  return [
    {
      threshold: "unservedQueues",
      value: unserved.length,
      message: `no live worker serves queue ${unserved.join(", ")}, where steps are ready`,
    },
    {
      threshold: "oldestReadyMs",
      value: oldest?.ageMs ?? null,
      message: `step "${oldest?.step}" of task ${oldest?.taskId} has been ready in queue "${oldest?.name}" for ${ms(oldest?.ageMs)}`,
    },
  ]
}

function rateCandidates({ tasks, attempts }: Facts["recent"], minCount: number): readonly Candidate[] {
  const endedTasks = tasks.completed + tasks.failed + tasks.cancelled
  const failedAttempts = attempts.retried + attempts.failed + attempts.skipped
  const endedAttempts = attempts.completed + failedAttempts
  return [
    {
      threshold: "taskErrorRate",
      value: endedTasks < minCount ? null : tasks.errorRate,
      message: `${tasks.failed} of the ${endedTasks} tasks that ended of late failed`,
    },
    {
      threshold: "attemptErrorRate",
      value: endedAttempts < minCount ? null : attempts.errorRate,
      message: `${failedAttempts} of the ${endedAttempts} attempts that ended of late failed`,
    },
  ]
}

function databaseCandidates({ connections, oldestTransaction: oldest, horizon, queueTable }: Facts["database"]) {
  const candidates: readonly Candidate[] = [
    {
      threshold: "connectionShare",
      value: connections === null ? null : connections.used / connections.max,
      message: `${connections?.used} of the server's ${connections?.max} connections are used`,
    },
    {
      threshold: "oldestTransactionMs",
      value: oldest?.ageMs ?? null,
      message: `a transaction of process ${oldest?.pid} (${oldest?.application}, ${oldest?.state}) has been open for ${ms(oldest?.ageMs)}`,
    },
    {
      threshold: "horizonXids",
      value: horizon?.ageXids ?? null,
      message: `a ${horizon?.heldBy} holds a snapshot that is ${horizon?.ageXids} transactions old`,
    },
    {
      threshold: "queueDeadRows",
      value: queueTable.deadRows,
      message: `the table step_queue has ${queueTable.deadRows} dead rows`,
    },
  ]
  return candidates
}

function ms(value: number | undefined): string {
  return `${Math.round(value ?? 0)} ms`
}
