import { buildWorkflow, type HandlerLookup } from "../../core/build-workflow.ts"
import { describeValue } from "../../core/describe-value.ts"
import { TaskerError } from "../../core/error.ts"
import type { Workflow } from "../../core/workflow.ts"
import type { WorkflowSource } from "../../core/workflow-source.ts"
import { environmentProblems, findEnvironment } from "./environment-problems.ts"
import { type FileProblem, type LocatedProblem, problemAt, sortProblems } from "./file-problem.ts"
import { itemsAt, type Located, type LocatedMap, textAt, toPlain, valueAt } from "./located.ts"
import { mergeEnvironment } from "./merge-environment.ts"
import { type ReadYaml, readYaml } from "./read-yaml.ts"
import { toSource } from "./to-source.ts"
import { unknownKeys } from "./unknown-keys.ts"
import { eventSchemaProblems, handlerProblems, inputSchemaProblems, valueProblems } from "./value-problems.ts"

/**
 * Step handlers by name: `shop.charge_card`. They may state what they need, as a `StepHandler<Order, …>` does: a file
 * has no types to check that against.
 */
export type HandlersByName = Readonly<Record<string, (context: never) => unknown>>

export interface ParseWorkflowOptions {
  /** What the file is called in messages. */
  readonly file: string
  /**
   * The functions that the steps name. One record may serve many files, so it may hold more. A step that names
   * no handler takes `namespace.step`, or else the one that is called as the step.
   */
  readonly handlers: HandlersByName
  /** Which of the file's `environments` to apply. Default: none. */
  readonly environment?: string | undefined
  /**
   * Whether a file that declares no environment at all stands as it is, whatever `environment` says: for many files
   * that are loaded alike. Default: false.
   */
  readonly environmentOptional?: boolean | undefined
}

/** How many mistakes the message of one error shows. */
const MAX_SHOWN = 50

/**
 * Makes a workflow of the text of a YAML file. The keys are those of
 * `defineWorkflow`, in snake_case; all environments are checked, and one is applied.
 *
 * @throws TaskerError `TASKER_WORKFLOW_FILE_INVALID` with every mistake of the file in `details.problems`, each
 *   a {@link FileProblem}
 */
export function parseWorkflow<Input = unknown, Results = Readonly<Record<string, unknown>>>(
  text: string,
  options: ParseWorkflowOptions,
): Workflow<Input, Results> {
  const read = readYaml(text)
  const { problems, effective } = findProblems(read, options)
  if (problems.length > 0 || effective === undefined) throw fileInvalid(options.file, problems)
  // Nothing was found to be wrong with it, so it is one.
  const source = toSource(effective) as unknown as WorkflowSource
  // What the input and the results are is the caller's to say: a file has no types.
  return buildWorkflow(source, { handlers: createLookup(effective, options.handlers) }) as unknown as Workflow<
    Input,
    Results
  >
}

interface Findings {
  readonly problems: readonly LocatedProblem[]
  /** The workflow as the environment that was asked for sees it. */
  readonly effective?: LocatedMap
}

function findProblems(read: ReadYaml, options: ParseWorkflowOptions): Findings {
  const { root, syntaxProblems, keyProblems } = read
  if (root?.kind !== "map") {
    if (syntaxProblems.length > 0) return { problems: syntaxProblems }
    const got = root === undefined || toPlain(root) === null ? "nothing" : describeValue(toPlain(root))
    return { problems: [problemAt({ line: 1, column: 1 }, [], `expected a workflow file to be a map, got ${got}`)] }
  }
  const keys = [...keyProblems, ...unknownKeys(root), ...environmentProblems(root)]
  const broken = firstOf(syntaxProblems)
  if (broken !== undefined) {
    // What stands above the first mistake of syntax means what it says; below it, who knows.
    const above = [...keys, ...valueProblems(mergeEnvironment(root, undefined), { isWhole: false })]
    return { problems: [...above.filter((problem) => isBefore(problem, broken)), ...syntaxProblems] }
  }
  const isUnasked = options.environmentOptional === true && valueAt(root, "environments") === undefined
  const { environment, problems: undeclared } =
    options.environment === undefined || isUnasked
      ? { environment: undefined, problems: [] }
      : findEnvironment(root, options.environment)
  const effective = mergeEnvironment(root, environment)
  const values = [undefined, ...environmentsOf(root)].flatMap((one) => [
    ...valueProblems(mergeEnvironment(root, one, { addUnknownSteps: true })),
    ...inputSchemaProblems(one ?? root),
    ...eventSchemaProblems(one ?? root),
  ])
  const handlers = handlerProblems(effective, createLookup(effective, options.handlers))
  return { problems: [...undeclared, ...keys, ...values, ...handlers], effective }
}

function environmentsOf(root: Located): readonly Located[] {
  const environments = valueAt(root, "environments")
  return environments?.kind === "map" ? [...environments.entries.values()].map(({ value }) => value) : []
}

function createLookup(root: LocatedMap, handlers: HandlersByName): HandlerLookup {
  const unnamed = new Set(
    itemsAt(root, "steps")
      .filter((step) => valueAt(step, "handler") === undefined)
      .map((step) => textAt(step, "name")),
  )
  const own = (name: string): unknown => (Object.hasOwn(handlers, name) ? handlers[name] : undefined)
  return {
    get: (handlerName, stepName) => own(handlerName) ?? (unnamed.has(stepName) ? own(stepName) : undefined),
    names: Object.keys(handlers),
  }
}

function firstOf(problems: readonly LocatedProblem[]): LocatedProblem | undefined {
  return sortProblems(problems)[0]
}

function isBefore(one: LocatedProblem, other: LocatedProblem): boolean {
  return one.line < other.line || (one.line === other.line && one.column < other.column)
}

function fileInvalid(file: string, found: readonly LocatedProblem[]): TaskerError {
  const problems: readonly FileProblem[] = sortProblems(found).map((problem) => ({ file, ...problem }))
  const lines = problems.slice(0, MAX_SHOWN).map(({ line, column, message, hint }) => {
    return `\n  ${file}:${line}:${column} ${message}${hint === undefined ? "" : ` (${hint})`}`
  })
  const more = problems.length > MAX_SHOWN ? `\n  and ${problems.length - MAX_SHOWN} more` : ""
  const count = problems.length === 1 ? "a mistake" : `${problems.length} mistakes`
  return new TaskerError(
    "TASKER_WORKFLOW_FILE_INVALID",
    `workflow file "${file}" has ${count}:${lines.join("")}${more}`,
    {
      details: { file, problems },
    },
  )
}
