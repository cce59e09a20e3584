import type { Client } from "./client.ts"
import type { ClientRooms } from "./client-rooms.ts"
import { analyzeTask } from "./analytics/analyze-task.ts"
import { bottlenecks } from "./analytics/bottlenecks.ts"
import { performance } from "./analytics/performance.ts"
import { createHealth } from "./health/health.ts"
import * as counts from "./count-states.ts"
import { createTask } from "./create-task.ts"
import { createTasks } from "./create-tasks.ts"
import { listQueues, listWorkers, measureQueues } from "./list-fleet.ts"
import { listTasks } from "./list-tasks.ts"
import * as durations from "./measure-durations.ts"
import * as queues from "./operate-queues.ts"
import * as steps from "./operate-steps.ts"
import * as operations from "./operate-tasks.ts"
import { OutcomePoller } from "./outcome-poller.ts"
import { getExecutionContext, getExecutionContexts, getHistory, getSteps, getTask } from "./read-tasks.ts"
import { taskRates } from "./task-rates.ts"
import { requestOf, tellRefusal } from "./tell-tasks.ts"
import { verifyAndTell } from "./verify-and-tell.ts"
import { waitForTask } from "./wait-for-task.ts"

export type { Client } from "./client.ts"

/** A client that whoever made it closes. */
export interface ClosableClient extends Client {
  /** Refuses everybody who waits for a task. May be called twice. */
  close(): void
}

/** Makes the client of one database. */
export function createClient(rooms: ClientRooms): ClosableClient {
  const poller = new OutcomePoller(rooms)
  return {
    createTask: (workflow, input, options) =>
      tellRefusal(
        rooms,
        workflow,
        () => options,
        () => createTask(rooms, workflow, input, options),
      ),
    createTasks: (workflow, requests, options) =>
      tellRefusal(
        rooms,
        workflow,
        (error) => requestOf(requests, error),
        () => createTasks(rooms, workflow, requests, options),
      ),
    waitForTask: (task, options) => waitForTask(poller, task, options),
    getTask: (task) => getTask(rooms, task),
    listTasks: (filter) => listTasks(rooms, filter),
    getSteps: (task) => getSteps(rooms, task),
    getHistory: (task) => getHistory(rooms, task),
    getExecutionContext: (task) => getExecutionContext(rooms, task),
    getExecutionContexts: (tasks) => getExecutionContexts(rooms, tasks),
    cancelTask: (task, note) => operations.cancelTask(rooms, task, note),
    pauseTask: (task, note) => operations.pauseTask(rooms, task, note),
    resumeTask: (task, note) => operations.resumeTask(rooms, task, note),
    retryTask: (task, note) => operations.retryTask(rooms, task, note),
    resolveTask: (task, note) => operations.resolveTask(rooms, task, note),
    retryStep: (task, step, note) => steps.retryStep(rooms, task, step, note),
    skipStep: (task, step, note) => steps.skipStep(rooms, task, step, note),
    resolveStep: (task, step, options) => steps.resolveStep(rooms, task, step, options),
    pauseQueue: (queue, note) => queues.pauseQueue(rooms, queue, note),
    resumeQueue: (queue, note) => queues.resumeQueue(rooms, queue, note),
    limitQueue: (queue, maxRunning) => queues.limitQueue(rooms, queue, maxRunning),
    listQueues: () => listQueues(rooms),
    measureQueues: (options) => measureQueues(rooms, options),
    listWorkers: (filter) => listWorkers(rooms, filter),
    countTasks: (filter) => counts.countTasks(rooms, filter),
    countTasksByWorkflow: (filter) => counts.countTasksByWorkflow(rooms, filter),
    countSteps: (filter) => counts.countSteps(rooms, filter),
    countStepsByName: (filter) => counts.countStepsByName(rooms, filter),
    slowestTasks: (filter) => durations.slowestTasks(rooms, filter),
    slowestSteps: (filter) => durations.slowestSteps(rooms, filter),
    durationPercentiles: (filter) => durations.durationPercentiles(rooms, filter),
    taskRates: (filter) => taskRates(rooms, filter),
    performance: (filter) => performance(rooms, filter),
    bottlenecks: (filter) => bottlenecks(rooms, filter),
    analyzeTask: (task, options) => analyzeTask(rooms, task, options),
    health: createHealth(rooms),
    verify: () => verifyAndTell(rooms),
    close: () => poller.close(),
  }
}
