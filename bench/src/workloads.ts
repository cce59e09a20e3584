import { defineWorkflow, type AnyWorkflow } from "@tasker/engine"

/** What a task looks like: for each step, the numbers of the steps it depends on. Each has one last step, on which all depend. */
export interface Workload {
  readonly name: string
  readonly parents: readonly (readonly number[])[]
}

const FAN = Array.from({ length: 100 }, (_step, index) => index + 1)

/** The shapes that are measured. */
export const WORKLOADS: readonly Workload[] = [
  { name: "linear_4", parents: [[], [0], [1], [2]] },
  { name: "diamond_4", parents: [[], [0], [0], [1, 2]] },
  { name: "fan_out_100", parents: [[], ...FAN.map(() => [0]), FAN] },
  { name: "single_step", parents: [[]] },
]

export function findWorkload(name: string): Workload {
  const found = WORKLOADS.find((workload) => workload.name === name)
  if (found === undefined) {
    throw new Error(`unknown workload "${name}"; there are ${WORKLOADS.map((each) => each.name).join(", ")}`)
  }
  return found
}

/** What every step returns, in the engine and in the floor. */
export const RESULT = { ok: true } as const

/** The workload as a workflow whose steps do nothing. */
export function workflowOf(workload: Workload, onLastStep: (taskId: string) => void): AnyWorkflow {
  const last = workload.parents.length - 1
  // The builder wants names that the compiler knows; these are computed, and the registry checks them when they are registered.
  let builder = defineWorkflow({
    namespace: "bench",
    name: workload.name,
    version: "1.0.0",
  }) as unknown as UntypedBuilder
  workload.parents.forEach((parents, stepNo) => {
    builder = builder.step(nameOf(stepNo), {
      dependsOn: parents.map(nameOf),
      handler: async ({ taskId }) => {
        if (stepNo === last) onLastStep(taskId)
        return RESULT
      },
    })
  })
  return builder
}

interface UntypedBuilder extends AnyWorkflow {
  step(
    name: string,
    definition: { dependsOn: readonly string[]; handler: (context: { taskId: string }) => Promise<unknown> },
  ): UntypedBuilder
}

function nameOf(stepNo: number): string {
  return `step_${stepNo}`
}
