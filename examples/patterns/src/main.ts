import { type AnyWorkflow, createTasker, type WorkflowDefinition } from "@tasker/engine"
import { createPatternHandlers } from "./step-handlers.ts"
import { type RunSummary, summarizeRun } from "./summarize-run.ts"
import { patternWorkflows } from "./workflows.ts"

const handlers = createPatternHandlers({ workMs: 25 })
const workflows: readonly AnyWorkflow[] = Object.values(patternWorkflows({ handlers }))
const url = process.env["DATABASE_URL"]

const tasker = await createTasker({ ...(url === undefined ? {} : { url }), workflows })
try {
  await tasker.startWorker()
  printRow("workflow", "steps", "levels", "attempts", "at once", "time", "tried again")
  for (const workflow of workflows) {
    const task = await tasker.createTask(workflow, {})
    await tasker.waitForTask(task)
    printSummary(workflow.definition, summarizeRun(await tasker.getHistory(task.taskId)))
  }
  const violations = await tasker.verify()
  console.log(violations.length === 0 ? "\nAll tasks are complete, and all invariants hold." : violations)
  process.exitCode = violations.length === 0 ? 0 : 1
} finally {
  await tasker.close()
}

function printSummary({ name, steps }: WorkflowDefinition, run: RunSummary): void {
  const counts = [steps.length, levelCount(steps), run.attemptCount, run.mostAtOnce].map(String)
  printRow(name, ...counts, `${(run.elapsedMs / 1_000).toFixed(2)} s`, countEach(run.retried))
}

function printRow(name: string, ...cells: readonly string[]): void {
  const last = cells.at(-1) ?? ""
  console.log(
    `${name.padEnd(30)}${cells
      .slice(0, -1)
      .map((cell) => cell.padStart(9))
      .join("")}   ${last}`,
  )
}

/** `a, b ×2`, by name. */
function countEach(names: readonly string[]): string {
  return [...new Set(names)]
    .toSorted()
    .map((name) => [name, names.filter((other) => other === name).length] as const)
    .map(([name, count]) => (count === 1 ? name : `${name} ×${count}`))
    .join(", ")
}

/** The length of the longest way through the workflow. */
function levelCount(steps: WorkflowDefinition["steps"]): number {
  const levels = new Map<string, number>()
  // Each step stands after all that it depends on.
  for (const { name, dependsOn } of steps) {
    levels.set(name, 1 + Math.max(0, ...dependsOn.map((dependency) => levels.get(dependency) ?? 0)))
  }
  return Math.max(...levels.values())
}
