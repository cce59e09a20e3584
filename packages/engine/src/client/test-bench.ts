import { unwatched } from "../core/events/change-watch.ts"
import { silentSink } from "../core/events/event-sink.ts"
import { createHints, type Hint } from "../core/hints.ts"
import type { Database } from "../core/database.ts"
import { defineWorkflow } from "../core/define-workflow.ts"
import type { AnyWorkflow } from "../core/workflow.ts"
import { createHandlerRegistry } from "../registry/handler-registry.ts"
import { advance, type ClaimedStep, type Outcome } from "../store/advance.ts"
import { registerWorker } from "../store/register-worker.ts"
import { registerWorkflow, type StoredWorkflow } from "../store/register-workflow.ts"
import type { FoundWorkflow } from "./client-rooms.ts"
import { type ClosableClient, createClient } from "./create-client.ts"

/** What a step's attempt comes to in a test. */
export type Attempt = Partial<Pick<Outcome, "kind" | "json" | "delayMs" | "cause">>

/** Tells nobody. */
const UNTOLD = { events: silentSink, changes: unwatched, redact: <T>(value: T): T => value }

/** A client on a database of a test's own, and a worker that is moved by hand. */
export interface TestBench {
  readonly client: ClosableClient
  readonly announced: Hint[]
  readonly workerId: number
  readonly routes: readonly number[]
  idOf(workflow: AnyWorkflow): number
  /** Tells the client that tasks may have ended. */
  hint(): void
  /** Claims what is ready, at most `room` steps, and holds it. */
  claim(room?: number): Promise<readonly ClaimedStep[]>
  /** Claims what is ready, and ends the attempt of one step: complete with null unless said otherwise. */
  run(taskId: string, name: string, attempt?: Attempt): Promise<void>
  /** Runs whatever is held or ready until nothing is; `attemptOf` says what each attempt comes to. */
  drain(attemptOf?: (step: ClaimedStep, name: string) => Attempt): Promise<void>
}

export async function createTestBench(database: Database, workflows: readonly AnyWorkflow[]): Promise<TestBench> {
  const known = await register(database, workflows)
  const found = (workflow: AnyWorkflow): FoundWorkflow & StoredWorkflow => {
    const entry = known.get(workflow)
    if (entry === undefined) throw new Error(`the test did not register ${workflow.name}`)
    return entry
  }
  const hints = createHints()
  const announced: Hint[] = []
  const client = createClient({
    database,
    hints,
    ...UNTOLD,
    limits: { inputBytes: 10_000, resultBytes: 10_000 },
    workers: () => [],
    notifications: true,
    announce: (hint) => announced.push(hint),
    findWorkflow: found,
  })
  const routes = [...known.values()].flatMap((entry) => entry.routes.map(({ routeId }) => routeId))
  const names = new Map([...known.values()].map(({ workflowId, workflow }) => [workflowId, workflow]))
  const worker = { name: "test", host: "here", pid: 1, concurrency: 100, leaseMs: 600_000 }
  const workerId = await registerWorker(database, { ...worker, routes })

  const held = new Map<string, ClaimedStep>()

  async function turn(outcomes: readonly Outcome[], room: number): Promise<readonly ClaimedStep[]> {
    const { claimed } = await advance(database, { workerId, outcomes, routes, room, expected: [0, 0, 0, 0] })
    for (const step of claimed) held.set(`${step.taskId} ${nameOf(step)}`, step)
    return claimed
  }
  const nameOf = (step: ClaimedStep): string =>
    names.get(step.workflowId)?.definition.steps[step.stepNo]?.name ?? String(step.stepNo)
  const end = (step: ClaimedStep, attempt: Attempt): Outcome => {
    held.delete(`${step.taskId} ${nameOf(step)}`)
    const { taskId, stepNo, attempt: number } = step
    return { taskId, stepNo, attempt: number, kind: "complete", json: "null", delayMs: 0, cause: null, ...attempt }
  }

  return {
    client,
    announced,
    workerId,
    routes,
    idOf: (workflow) => found(workflow).workflowId,
    hint: () => hints.emit("ended"),
    claim: (room = 100) => turn([], room),
    async run(taskId, name, attempt = {}) {
      await turn([], 100)
      const step = held.get(`${taskId} ${name}`)
      if (step === undefined) throw new Error(`step "${name}" is not held`)
      await turn([end(step, attempt)], 0)
    },
    async drain(attemptOf = () => ({})) {
      await turn([], 100)
      while (held.size > 0) {
        const outcomes = [...held.values()].map((step) => end(step, attemptOf(step, nameOf(step))))
        await turn(outcomes, 100)
      }
    },
  }
}

async function register(database: Database, workflows: readonly AnyWorkflow[]) {
  const registry = createHandlerRegistry()
  const known = new Map<AnyWorkflow, FoundWorkflow & StoredWorkflow>()
  for (const workflow of workflows) {
    const stored = await registerWorkflow(database, workflow.definition)
    known.set(workflow, { ...registry.register(workflow), ...stored })
  }
  return known
}

/** What a handler threw, as a worker stores it. */
export function errorJson(message: string, code: string | null = null): string {
  return JSON.stringify({ name: "Error", code, message, stack: null })
}

/** `left` and `right` after `start`, `end` after both; `right` is skippable. */
export const diamond = defineWorkflow<{ readonly n: number }>({
  namespace: "shop",
  name: "diamond",
  version: "1.0.0",
  maxAttempts: 2,
})
  .step("start", { handler: () => ({ at: 1 }) })
  .step("left", { dependsOn: ["start"], handler: () => "l" })
  .step("right", { dependsOn: ["start"], skippable: true, handler: () => "r" })
  .step("end", { dependsOn: ["left", "right"], handler: () => 3 })

/** One step, and an input with a default. */
export const single = defineWorkflow<{ readonly a: number; readonly b: string }, { readonly a: number }>({
  namespace: "shop",
  name: "single",
  version: "1.0.0",
  maxAttempts: 3,
  input: {
    type: "object",
    properties: { a: { type: "number" }, b: { type: "string", default: "x" } },
    required: ["a"],
    additionalProperties: false,
  },
}).step("only", { handler: () => true })
