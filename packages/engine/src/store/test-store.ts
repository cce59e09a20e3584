import type { Database, Queryable } from "../core/database.ts"
import type { StepState, TaskState } from "../core/state.ts"
import type { Priority, StepSpec, WorkflowDefinition } from "../core/workflow.ts"
import { registerWorkflow } from "./register-workflow.ts"
import { run, runOne } from "./run.ts"
import { at } from "./test-clock.ts"
import { TestWorker } from "./test-worker.ts"

/** What a test says about a step; the rest is of no importance. */
export type TestStep = Partial<Omit<StepSpec, "name">>

/** A workflow that was registered for one test, in a queue of its own. */
export interface TestWorkflow {
  readonly workflowId: number
  readonly namespace: string
  readonly name: string
  readonly version: string
  readonly queue: string
  readonly routes: readonly number[]
  /** By the names of the queues. */
  readonly routeOf: Readonly<Record<string, number>>
  readonly steps: readonly StepSpec[]
}

export interface TaskRow {
  readonly state: TaskState
  readonly active_steps: number
  readonly failed_steps: number
  readonly priority: Priority
  readonly paused_at: Date | null
  readonly started_at: Date | null
  readonly finished_at: Date | null
}

export interface StepRow {
  readonly name: string
  readonly state: StepState
  readonly waiting_on: number
  readonly attempts: number
  readonly max_attempts: number
  readonly result: unknown
  readonly error: { readonly code?: string | null; readonly message?: string } | null
  readonly started_at: Date | null
  readonly finished_at: Date | null
  readonly run_at: Date | null
  readonly worker_id: number | null
  readonly held: boolean | null
}

export interface TransitionRow {
  /** `null`: the task itself. */
  readonly name: string | null
  readonly from_state: StepState | null
  readonly to_state: StepState
  readonly attempt: number | null
  readonly worker_id: number | null
  readonly cause: string | null
  readonly actor: string | null
  readonly reason: string | null
  readonly error: unknown
  readonly at: Date
}

/** The functions of the schema with the clock as an argument, and what they leave behind. */
export class TestStore {
  readonly database: Database
  readonly #workflows = new Map<number, TestWorkflow>()
  #count = 0

  constructor(database: Database) {
    this.database = database
  }

  /** Registers a workflow of these steps, each after those that it depends on. */
  async define(
    steps: Readonly<Record<string, TestStep>>,
    options: {
      readonly priority?: Priority
      readonly name?: string
      readonly version?: string
      readonly queue?: string
    } = {},
  ): Promise<TestWorkflow> {
    const number = ++this.#count
    const { priority = 3, name = `workflow_${number}`, version = "1.0.0", queue = `queue_${number}` } = options
    const definition: WorkflowDefinition = {
      namespace: "test",
      name,
      version,
      description: null,
      priority,
      inputSchema: null,
      steps: Object.entries(steps).map(([stepName, step]) => ({
        name: stepName,
        dependsOn: [],
        handlerName: `test.${stepName}`,
        queue,
        priority: null,
        maxAttempts: 3,
        backoff: { delaysMs: [0], jitter: 0 },
        timeoutMs: 30_000,
        skippable: false,
        transactional: false,
        ...step,
      })),
    }
    const stored = await registerWorkflow(this.database, definition)
    const routes = stored.routes.map(({ routeId }) => routeId)
    const routeOf = Object.fromEntries(stored.routes.map((route) => [route.queue, route.routeId]))
    const { workflowId } = stored
    const workflow = { workflowId, namespace: "test", name, version, queue, routes, routeOf, steps: definition.steps }
    this.#workflows.set(stored.workflowId, workflow)
    return workflow
  }

  workflow(workflowId: number): TestWorkflow {
    const workflow = this.#workflows.get(workflowId)
    if (workflow === undefined) throw new Error(`no test registered workflow ${workflowId}`)
    return workflow
  }

  /** Creates tasks by requests as plain SQL would give them. */
  async createTasks(
    requests: unknown,
    now: Date = at(0),
    db: Queryable = this.database,
  ): Promise<readonly { readonly taskId: string; readonly created: boolean }[]> {
    return await run(db, {
      text: `select task_id as "taskId", created from tasker.create_tasks($1::text::jsonb, true, $2) order by ordinal`,
      values: [JSON.stringify(requests), now],
    })
  }

  /** Creates one task and returns its id. */
  async createTask(
    workflow: TestWorkflow,
    request: Readonly<Record<string, unknown>> = {},
    now: Date = at(0),
  ): Promise<string> {
    const [task] = await this.createTasks([{ workflow_id: workflow.workflowId, input: {}, ...request }], now)
    if (task === undefined) throw new Error("create_tasks gave no row")
    return task.taskId
  }

  /** Registers a worker that serves the queues of these workflows. */
  async worker(
    workflows: TestWorkflow | readonly TestWorkflow[],
    options: { readonly leaseMs?: number; readonly now?: Date; readonly queues?: readonly string[] } = {},
  ): Promise<TestWorker> {
    const { queues } = options
    const routes = [workflows]
      .flat()
      .flatMap((workflow) => Object.entries(workflow.routeOf))
      .flatMap(([queue, routeId]) => (queues === undefined || queues.includes(queue) ? [routeId] : []))
    const { workerId } = await runOne<{ workerId: number }>(this.database, {
      text: `select tasker.register_worker('test', 'here', 1, 100, $1::integer[], $2 * interval '1 millisecond', $3) as "workerId"`,
      values: [routes, options.leaseMs ?? 15_000, options.now ?? at(0)],
    })
    const nameStep = (workflowId: number, stepNo: number) =>
      this.workflow(workflowId).steps[stepNo]?.name ?? `step ${stepNo}`
    return new TestWorker({ database: this.database, workerId, routes, nameStep })
  }

  /** Calls one of our functions with named arguments, and gives its one value. */
  async call<T>(
    name: string,
    values: readonly unknown[],
    now: Date = at(0),
    db: Queryable = this.database,
  ): Promise<T> {
    const parameters = values.map((_value, index) => `$${index + 1}`).join(", ")
    const { value } = await runOne<{ value: T }>(db, {
      text: `select tasker.${name}(${parameters}${values.length > 0 ? ", " : ""}p_now => $${values.length + 1}) as value`,
      values: [...values, now],
    })
    return value
  }

  async rescue(
    now: Date,
    db: Queryable = this.database,
  ): Promise<readonly { readonly worker_id: number; readonly steps: number }[]> {
    return await run(db, { text: "select worker_id, steps from tasker.rescue_steps($1)", values: [now] })
  }

  async task(taskId: string): Promise<TaskRow> {
    return await runOne(this.database, { text: "select * from tasker.tasks where task_id = $1", values: [taskId] })
  }

  async steps(taskId: string): Promise<readonly StepRow[]> {
    return await run(this.database, {
      text: `
        select definition.name, step.*, queued.held
        from tasker.tasks as task
        join tasker.steps as step on step.task_id = task.task_id
        join tasker.workflow_steps as definition
          on definition.workflow_id = task.workflow_id and definition.step_no = step.step_no
        left join tasker.step_queue as queued on queued.task_id = step.task_id and queued.step_no = step.step_no
        where task.task_id = $1
        order by step.step_no`,
      values: [taskId],
    })
  }

  async step(taskId: string, name: string): Promise<StepRow> {
    const found = (await this.steps(taskId)).find((step) => step.name === name)
    if (found === undefined) throw new Error(`task ${taskId} has no step ${name}`)
    return found
  }

  /** The state of each step, by its name. */
  async states(taskId: string): Promise<Readonly<Record<string, StepState>>> {
    return Object.fromEntries((await this.steps(taskId)).map(({ name, state }) => [name, state]))
  }

  async history(taskId: string): Promise<readonly TransitionRow[]> {
    return await run(this.database, {
      text: `
        select definition.name, transition.*
        from tasker.transitions as transition
        join tasker.tasks as task on task.task_id = transition.task_id
        left join tasker.workflow_steps as definition
          on definition.workflow_id = task.workflow_id and definition.step_no = transition.step_no
        where transition.task_id = $1
        order by transition.transition_id`,
      values: [taskId],
    })
  }

  /** The states that a step went through, or the task itself. */
  async path(taskId: string, name: string | null = null): Promise<readonly StepState[]> {
    return (await this.history(taskId)).filter((row) => row.name === name).map((row) => row.to_state)
  }

  /** Whatever breaks one of the six invariants. */
  async violations(): Promise<readonly unknown[]> {
    return await run(this.database, { text: "select * from tasker.verify()" })
  }
}

/** A transaction that stays open while a test does something else. */
export interface OpenTransaction<T> {
  readonly result: T
  commit(): Promise<void>
  rollback(): Promise<void>
}

/** Does some work in a transaction, and leaves it open. */
export async function openTransaction<T>(
  database: Database,
  work: (tx: Queryable) => Promise<T>,
): Promise<OpenTransaction<T>> {
  const rolledBack = new Error("the test rolls back")
  let end: (how: "commit" | "rollback") => void = () => {}
  const ended = new Promise<"commit" | "rollback">((resolve) => {
    end = resolve
  })
  let transaction: Promise<void> = Promise.resolve()
  const result = await new Promise<T>((resolve, reject) => {
    transaction = database.transaction(async (tx) => {
      resolve(await work(tx))
      if ((await ended) === "rollback") throw rolledBack
    })
    transaction.catch((error: unknown) => reject(error instanceof Error ? error : new Error(String(error))))
  })
  return {
    result,
    commit: async () => {
      end("commit")
      await transaction
    },
    rollback: async () => {
      end("rollback")
      await transaction.catch((error: unknown) => {
        if (error !== rolledBack) throw error
      })
    },
  }
}

/** Waits until so many statements in this database wait for a lock. */
export async function untilBlocked(database: Database, count = 1): Promise<void> {
  for (let waiting = 0; waiting < count;) {
    const [row] = await database.query<{ waiting: number }>({
      text: `
        select count(*) as waiting from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and state = 'active'`,
    })
    waiting = row?.waiting ?? 0
  }
}
