import type { AnyWorkflow, Priority, RunnableStep, WorkflowId } from "../core/workflow.ts"
import type { BodyValidator } from "../registry/validate-event.ts"

/** A workflow as the database knows it and as this process can run it. */
export interface ServedWorkflow {
  readonly workflowId: number
  readonly workflow: AnyWorkflow
  readonly routes: readonly { readonly routeId: number; readonly queue: string }[]
  /** What checks the bodies of the events that it declares, by name. */
  readonly validateBody: ReadonlyMap<string, BodyValidator>
}

/** A step, with what the worker needs to know about what comes after it. */
export interface ServedStep {
  readonly workflow: AnyWorkflow
  /** Of the workflow, without the rest of it. */
  readonly workflowId: WorkflowId
  readonly step: RunnableStep
  /** The numbers of the steps that it depends on, by name. */
  readonly parents: ReadonlyMap<string, string>
  /**
   * The priorities of the children that this step is the last parent of; null is
   * the task's. Each child counts once among its parents, which is enough for a
   * hint of how many become ready.
   */
  readonly heirs: readonly (Priority | null)[]
  /** The events that it may publish, by name, with what checks their bodies. */
  readonly publishable: ReadonlyMap<string, BodyValidator>
}

/** Finds a step by its workflow's id and its number. */
export type FindStep = (workflowId: number, stepNo: number) => ServedStep | undefined

/** Indexes the steps of all workflows that a worker serves. */
export function indexSteps(served: readonly ServedWorkflow[]): FindStep {
  const byWorkflow = new Map(served.map((each) => [each.workflowId, servedSteps(each)]))
  return (workflowId, stepNo) => byWorkflow.get(workflowId)?.[stepNo]
}

function idOf({ namespace, name, version }: WorkflowId): WorkflowId {
  return Object.freeze({ namespace, name, version })
}

function servedSteps({ workflow, validateBody }: ServedWorkflow): readonly ServedStep[] {
  const { steps, events } = workflow
  const workflowId = idOf(workflow)
  const numbers = new Map(steps.map((step, stepNo) => [step.spec.name, stepNo]))
  const parentNumbers = steps.map((step) => step.spec.dependsOn.map((name) => numbers.get(name) ?? -1))
  return steps.map((step, stepNo) => ({
    workflow,
    workflowId,
    step,
    parents: new Map(step.spec.dependsOn.map((name) => [name, String(numbers.get(name))])),
    heirs: steps
      .filter((_child, childNo) => Math.max(...(parentNumbers[childNo] ?? [])) === stepNo)
      .map((child) => child.spec.priority),
    publishable: new Map(
      events.flatMap((event) => {
        const validate = validateBody.get(event.name)
        const isIts = event.step === null || event.step === step.spec.name
        return isIts && validate !== undefined ? [[event.name, validate] as const] : []
      }),
    ),
  }))
}
