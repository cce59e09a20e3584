import type { AnyWorkflow, Tasker } from "@tasker/engine"
import type { Series } from "./series.ts"

/**
 * Makes the series of what this process knows, at 0, and those of workers when they start.
 *
 * A counter that comes into being as 1 has not grown, for `rate` and `increase`: the first failure of a step would
 * raise no alert.
 *
 * @returns a function that ends it
 */
export function startAtZero(tasker: Pick<Tasker, "workflows" | "workers" | "events">, series: Series): () => void {
  for (const { workflow } of tasker.workflows.list()) startWorkflow(series, workflow)
  for (const { name } of tasker.workers) startWorker(series, name)
  return tasker.events.on("worker.started", ({ payload }) => startWorker(series, payload.worker), {
    name: "metrics",
    immediate: true,
  })
}

function startWorkflow(series: Series, { definition: { namespace, name, steps } }: AnyWorkflow): void {
  series.tasksCreated.at(namespace, name)
  for (const outcome of ["complete", "error"]) series.tasksEnded.at(namespace, name, outcome)
  for (const step of steps) {
    for (const outcome of step.skippable ? ["complete", "error", "skipped"] : ["complete", "error"]) {
      series.stepsEnded.at(namespace, name, step.name, outcome)
    }
    const { stepRetries, stepTimeouts, stepsRescued, stepsHandedBack, stepsFenced } = series
    for (const counter of [stepRetries, stepTimeouts, stepsRescued, stepsHandedBack, stepsFenced]) {
      counter.at(namespace, name, step.name)
    }
  }
}

function startWorker(series: Series, name: string): void {
  for (const counter of [series.workerHeartbeats, series.workerDisconnections, series.workerLeasesLost]) {
    counter.at(name)
  }
}
