import { defineWorkflow, type StepTransaction } from "@tasker/engine"

/** What a step of the chaos workflows is told about itself. */
export interface ChaosStep {
  readonly taskId: string
  readonly stepName: string
  readonly attempt: number
  readonly signal: AbortSignal
}

/** What the steps do: in the test nothing, since it runs none; in a worker process, work or wait. */
export interface ChaosHandlers {
  readonly work: (step: ChaosStep) => Promise<ChaosResult>
  readonly gate: (step: ChaosStep) => Promise<ChaosResult>
}

export interface ChaosResult {
  /** The name of the worker that produced the result. */
  readonly by: string
  readonly attempt: number
}

/** Where transactional steps write: one row for each time that one was committed. */
export const CREATE_EFFECTS = `
  create table chaos_effects (task_id uuid not null, step text not null, by text not null)`

export type ChaosWorkflows = ReturnType<typeof chaosWorkflows>

export function chaosWorkflows({ work, gate }: ChaosHandlers) {
  // Attempts that a killed worker has begun count, and chaos begins many.
  const shared = {
    namespace: "chaos",
    version: "1.0.0",
    maxAttempts: 100,
    backoff: { baseMs: 20, capMs: 200 },
  } as const
  return {
    /** A diamond, of which one side is transactional. */
    order: defineWorkflow({ ...shared, name: "order" })
      .step("first", { handler: work })
      .step("write", {
        dependsOn: ["first"],
        transactional: true,
        handler: async (step) => await writeEffect(step, step.tx, work),
      })
      .step("side", { dependsOn: ["first"], handler: work })
      .step("last", { dependsOn: ["write", "side"], handler: work }),
    /** Two steps that run until the test lets them end. */
    gate: defineWorkflow({ ...shared, name: "gate", priority: 1 })
      .step("hold", { handler: gate })
      .step("hold_and_write", {
        transactional: true,
        handler: async (step) => await writeEffect(step, step.tx, gate),
      }),
  }
}

async function writeEffect(
  step: ChaosStep,
  tx: StepTransaction,
  run: (step: ChaosStep) => Promise<ChaosResult>,
): Promise<ChaosResult> {
  const result = await run(step)
  await tx.query("insert into chaos_effects (task_id, step, by) values ($1, $2, $3)", [
    step.taskId,
    step.stepName,
    result.by,
  ])
  return result
}

/** Handlers for a process that creates tasks and runs none. */
export const NO_HANDLERS: ChaosHandlers = { work: refuse, gate: refuse }

function refuse(): Promise<never> {
  return Promise.reject(new Error("this process runs no steps"))
}
