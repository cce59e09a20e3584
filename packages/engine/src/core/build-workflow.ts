import { topologicalOrder } from "./dag.ts"
import { describeValue } from "./describe-value.ts"
import { TaskerError } from "./error.ts"
import { declaredEvents } from "./events/event-declaration.ts"
import { didYouMean } from "./names.ts"
import { formatProblems, type Problem, problem } from "./problem.ts"
import { DEFAULT_BACKOFF } from "./retry-policy.ts"
import { storedSchema } from "./stored-schema.ts"
import { isObject } from "./is-object.ts"
import { validateWorkflow } from "./validate-workflow.ts"
import type { BackoffOptions, ExponentialBackoffOptions, StepSource, WorkflowSource } from "./workflow-source.ts"
import type { AnyStepHandler, AnyWorkflow, Backoff, RunnableStep, StepSpec, WorkflowDefinition } from "./workflow.ts"

/** Where the handlers of steps that name theirs are found. */
export interface HandlerLookup {
  /** The handler; `undefined` when there is none. Anything but a function is reported. */
  get(handlerName: string, stepName: string): unknown
  /** For a "did you mean". */
  readonly names: readonly string[]
}

export interface BuildWorkflowOptions {
  readonly handlers?: HandlerLookup
  /** What the caller found already; reported together with what is found here. */
  readonly problems?: readonly Problem[]
}

/** How long an attempt may take when nobody says, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 30_000

/** How many attempts there are when nobody says. */
export const DEFAULT_MAX_ATTEMPTS = 3

const NO_HANDLERS: HandlerLookup = { get: () => undefined, names: [] }

/**
 * Makes a workflow of what a user wrote: the one place that checks it, fills in
 * the defaults, and sorts the steps. Builder, template and YAML file all end here.
 *
 * @throws TaskerError `TASKER_WORKFLOW_INVALID` with every problem in `details.problems`
 */
export function buildWorkflow(source: WorkflowSource, options: BuildWorkflowOptions = {}): AnyWorkflow {
  const { handlers = NO_HANDLERS, problems: known = [] } = options
  const problems = [...known, ...validateWorkflow(source), ...validateHandlers(source, handlers)]
  if (problems.length > 0) throw workflowInvalid(source, problems)

  const definition = resolveDefinition(source)
  const written = new Map(source.steps.map((step) => [step.name, step]))
  const steps = definition.steps.map((spec): RunnableStep => {
    const step = written.get(spec.name)
    // validateHandlers found a function.
    const handler = handlerOf(step?.handler, spec.handlerName, spec.name, handlers) as AnyStepHandler
    return Object.freeze({ spec, handler, config: step?.config })
  })
  const { namespace, name, version } = definition
  const runnable = {
    namespace,
    name,
    version,
    definition,
    steps: Object.freeze(steps),
    inputSchema: source.input ?? null,
    events: declaredEvents(source),
  }
  // "~types" exists for the compiler alone.
  return Object.freeze(runnable) as unknown as AnyWorkflow
}

/**
 * As {@link buildWorkflow}, for whoever has no handlers: the data alone.
 *
 * @throws TaskerError `TASKER_WORKFLOW_INVALID` with every problem in `details.problems`
 */
export function buildDefinition(source: WorkflowSource): WorkflowDefinition {
  const problems = validateWorkflow(source)
  if (problems.length > 0) throw workflowInvalid(source, problems)
  return resolveDefinition(source)
}

/** Steps whose handler is missing, or is no function. Any source may be asked, checked or not. */
export function validateHandlers(source: WorkflowSource, handlers: HandlerLookup): readonly Problem[] {
  const steps: readonly unknown[] = Array.isArray(source?.steps) ? source.steps : []
  return steps.flatMap((step, index) => {
    // Without a name the step is a problem already.
    if (!isObject(step) || typeof step["name"] !== "string") return []
    const { name: stepName, handler } = step
    const handlerName = typeof handler === "string" ? handler : defaultHandlerName(source, stepName)
    const found = handlerOf(handler, handlerName, stepName, handlers)
    if (typeof found === "function") return []
    const message =
      found === undefined
        ? `step "${stepName}" has no handler: none was given for ${describeValue(handlerName)}`
        : `expected the handler of step "${stepName}" to be a function, got ${describeValue(found)}`
    const hint = didYouMean(handlerName, handlers.names) ?? didYouMean(stepName, handlers.names)
    return [problem(["steps", index, "handler"], message, hint)]
  })
}

function handlerOf(written: unknown, handlerName: string, stepName: string, handlers: HandlerLookup): unknown {
  const isNamed = written === undefined || typeof written === "string"
  return isNamed ? handlers.get(handlerName, stepName) : written
}

function defaultHandlerName(source: WorkflowSource, stepName: string): string {
  return `${source.namespace ?? "default"}.${stepName}`
}

function workflowInvalid(source: WorkflowSource, problems: readonly Problem[]): TaskerError {
  const name: unknown = isObject(source) ? source["name"] : undefined
  const which = typeof name === "string" ? `workflow ${describeValue(name)}` : "the workflow"
  const count = problems.length === 1 ? "a rule" : `${problems.length} rules`
  return new TaskerError("TASKER_WORKFLOW_INVALID", `${which} breaks ${count}:${formatProblems(problems)}`, {
    details: { problems },
  })
}

/** Fills in the defaults of a source that has no problems. */
function resolveDefinition(source: WorkflowSource): WorkflowDefinition {
  const nodes = source.steps.map(({ name, dependsOn = [] }) => ({ name, dependsOn }))
  const steps = topologicalOrder(nodes).map((index) => {
    // An order holds indices of its list.
    return resolveStep(source, source.steps[index] as StepSource)
  })
  return Object.freeze({
    namespace: source.namespace ?? "default",
    name: source.name,
    version: source.version,
    description: source.description ?? null,
    priority: source.priority ?? 3,
    inputSchema: storedSchema(source.input),
    ...storedEvents(source),
    steps: Object.freeze(steps),
  })
}

/** Only where there are any: a workflow without events is the definition that it was before there were events. */
function storedEvents(source: WorkflowSource): Pick<WorkflowDefinition, "events"> {
  const events = declaredEvents(source).map(({ name, step, schema }) =>
    Object.freeze({ name, step, schema: storedSchema(schema) }),
  )
  return events.length === 0 ? {} : { events: Object.freeze(events) }
}

function resolveStep(source: WorkflowSource, step: StepSource): StepSpec {
  return Object.freeze({
    name: step.name,
    dependsOn: Object.freeze([...(step.dependsOn ?? [])]),
    handlerName: typeof step.handler === "string" ? step.handler : defaultHandlerName(source, step.name),
    queue: step.queue ?? source.queue ?? source.namespace ?? "default",
    priority: step.priority ?? null,
    maxAttempts: step.maxAttempts ?? source.maxAttempts ?? DEFAULT_MAX_ATTEMPTS,
    backoff: resolveBackoff(step.backoff ?? source.backoff ?? {}),
    timeoutMs: step.timeoutMs ?? source.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    skippable: step.skippable ?? false,
    transactional: step.transactional ?? false,
  })
}

/** A step's backoff replaces its workflow's; what it leaves out comes from the defaults. */
function resolveBackoff(options: BackoffOptions): Backoff {
  const { jitter = DEFAULT_BACKOFF.jitter } = options
  if ("delaysMs" in options && options.delaysMs !== undefined) {
    return Object.freeze({ delaysMs: Object.freeze([...options.delaysMs]), jitter })
  }
  // A list was handled above; `delaysMs: undefined` counts as left out.
  const { baseMs, capMs, factor } = options as ExponentialBackoffOptions
  return Object.freeze({
    baseMs: baseMs ?? DEFAULT_BACKOFF.baseMs,
    capMs: capMs ?? DEFAULT_BACKOFF.capMs,
    factor: factor ?? DEFAULT_BACKOFF.factor,
    jitter,
  })
}
