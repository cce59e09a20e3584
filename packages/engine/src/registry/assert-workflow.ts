import { describeValue } from "../core/describe-value.ts"
import { TaskerError } from "../core/error.ts"
import { isName, NAME_RULE } from "../core/names.ts"
import { formatProblems, type Problem, problem } from "../core/problem.ts"
import { isWorkflowVersion } from "../core/semver.ts"
import type { AnyWorkflow } from "../core/workflow.ts"

/**
 * Makes sure that a value is a workflow that can be run, for those who have no
 * compiler to tell them.
 *
 * @throws TaskerError `TASKER_WORKFLOW_INVALID` with everything that is wrong in `details.problems`
 */
export function assertWorkflow(value: unknown): asserts value is AnyWorkflow {
  const problems = findProblems(value)
  if (problems.length === 0) return
  throw new TaskerError("TASKER_WORKFLOW_INVALID", `this is no workflow that can be run:${formatProblems(problems)}`, {
    hint: "make it with defineWorkflow, defineTemplate or loadWorkflow",
    details: { problems },
  })
}

type Unchecked = Readonly<Record<string, unknown>>

function findProblems(value: unknown): readonly Problem[] {
  if (!isRecord(value)) return [problem([], `expected a workflow, got ${describeValue(value)}`, promiseHint(value))]
  const problems: Problem[] = []
  for (const key of ["namespace", "name"]) {
    if (!isName(value[key])) problems.push(expected([key], NAME_RULE, value[key]))
  }
  if (!isWorkflowVersion(value["version"])) {
    problems.push(expected(["version"], `a semantic version, such as "1.2.0"`, value["version"]))
  }
  // Reading them builds the workflow, and throws what is wrong with it.
  const { definition, steps, inputSchema, events } = value
  if (!isRecord(definition) || !Array.isArray(definition["steps"])) {
    problems.push(expected(["definition"], "a workflow definition", definition))
  }
  if (inputSchema === undefined) problems.push(expected(["inputSchema"], "a schema or null", inputSchema))
  if (!Array.isArray(events)) problems.push(expected(["events"], "a list of events", events))
  if (!Array.isArray(steps)) return [...problems, expected(["steps"], "a list of steps with handlers", steps)]
  return [...problems, ...steps.flatMap(stepProblems)]
}

function stepProblems(step: unknown, index: number): readonly Problem[] {
  if (!isRecord(step) || !isRecord(step["spec"])) return [expected(["steps", index], "a step with its handler", step)]
  if (typeof step["handler"] === "function") return []
  const message = `expected the handler of step ${describeValue(step["spec"]["name"])} to be a function, got ${describeValue(step["handler"])}`
  return [problem(["steps", index, "handler"], message)]
}

function expected(segments: readonly (string | number)[], rule: string, value: unknown): Problem {
  return problem(
    segments,
    `expected ${segments.findLast((one) => typeof one === "string")} to be ${rule}, got ${describeValue(value)}`,
  )
}

function promiseHint(value: unknown): string | undefined {
  return value instanceof Promise ? "await it" : undefined
}

function isRecord(value: unknown): value is Unchecked {
  // A builder may be a function with properties.
  return (typeof value === "object" || typeof value === "function") && value !== null && !(value instanceof Promise)
}
