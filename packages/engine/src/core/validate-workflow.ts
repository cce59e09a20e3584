import { isObject } from "./is-object.ts"
import { type DagNode, validateDag } from "./dag.ts"
import { describeValue } from "./describe-value.ts"
import { isTaskerError } from "./error.ts"
import { checkEvents } from "./events/event-declaration.ts"
import { encodeJson } from "./json.ts"
import { didYouMean } from "./names.ts"
import {
  attemptsRule,
  checkOption,
  delayRule,
  descriptionRule,
  expectedProblem,
  factorRule,
  flagRule,
  handlerNameRule,
  jitterRule,
  MAX_ATTEMPTS,
  MAX_STEPS,
  nameRule,
  type OptionRule,
  priorityRule,
  timeoutRule,
  versionRule,
} from "./option-rules.ts"
import { type Problem, problem } from "./problem.ts"
import { DEFAULT_BACKOFF } from "./retry-policy.ts"
import { isStandardSchema } from "./schema.ts"
import { MAX_SCHEMA_BYTES } from "./stored-schema.ts"

type Path = readonly (string | number)[]

/** An object of a user, before anything is known about its values. */
type Unchecked = Readonly<Record<string, unknown>>

const SHARED_RULES: Readonly<Record<string, OptionRule>> = {
  queue: nameRule,
  priority: priorityRule,
  maxAttempts: attemptsRule,
  timeoutMs: timeoutRule,
}

const WORKFLOW_RULES: Readonly<Record<string, OptionRule>> = {
  namespace: nameRule,
  description: descriptionRule,
  ...SHARED_RULES,
}

const STEP_RULES: Readonly<Record<string, OptionRule>> = {
  skippable: flagRule,
  transactional: flagRule,
  ...SHARED_RULES,
}

const EXPONENTIAL_RULES: Readonly<Record<string, OptionRule>> = {
  baseMs: delayRule,
  capMs: delayRule,
  factor: factorRule,
  jitter: jitterRule,
}

/** The options of a workflow, as they are written in code. */
export const WORKFLOW_KEYS: readonly string[] = [
  ...Object.keys(WORKFLOW_RULES),
  "name",
  "version",
  "backoff",
  "input",
  "events",
  "steps",
]

/** The options of a step, as they are written in code. */
export const STEP_KEYS: readonly string[] = [
  ...Object.keys(STEP_RULES),
  "name",
  "dependsOn",
  "backoff",
  "handler",
  "config",
  "events",
]

/**
 * Finds everything that is wrong with a workflow as a user wrote it. Nothing is
 * trusted: JavaScript users and files have no compiler to check them. Whether
 * the handlers exist is not asked here.
 */
export function validateWorkflow(source: unknown): readonly Problem[] {
  if (!isObject(source)) return [expectedProblem(["workflow"], "an object", source)]
  return [
    ...checkKeys([], source, WORKFLOW_KEYS),
    ...checkRequired(["name"], source["name"], nameRule),
    ...checkRequired(["version"], source["version"], versionRule),
    ...checkRules([], source, WORKFLOW_RULES),
    ...checkBackoff(["backoff"], source["backoff"]),
    ...checkInputSchema(source["input"]),
    ...checkSteps(source["steps"]),
    ...checkEvents(source),
  ]
}

/** Unknown keys, each with the known one that was likely meant. */
export function checkKeys(path: Path, value: Unchecked, known: readonly string[]): Problem[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => problem([...path, key], `unknown option ${describeValue(key)}`, didYouMean(key, known)))
}

function checkRequired(path: Path, value: unknown, rule: OptionRule): Problem[] {
  return value === undefined ? [expectedProblem(path, rule.rule, value)] : checkOption(path, value, rule)
}

function checkRules(path: Path, value: Unchecked, rules: Readonly<Record<string, OptionRule>>): Problem[] {
  return Object.entries(rules).flatMap(([key, rule]) => checkOption([...path, key], value[key], rule))
}

function checkBackoff(path: Path, backoff: unknown): Problem[] {
  if (backoff === undefined) return []
  if (!isObject(backoff)) return [expectedProblem(path, "an object", backoff)]
  if (backoff["delaysMs"] !== undefined) return checkListedBackoff(path, backoff)
  const problems = [
    ...checkKeys(path, backoff, [...Object.keys(EXPONENTIAL_RULES), "delaysMs"]),
    ...checkRules(path, backoff, EXPONENTIAL_RULES),
  ]
  return problems.length > 0 ? problems : checkCap(path, backoff)
}

/** A base above the cap would never be waited for, and the cap may be the default, which nobody sees. */
function checkCap(path: Path, backoff: Unchecked): Problem[] {
  const { baseMs = 0, capMs = DEFAULT_BACKOFF.capMs } = backoff
  // Both were checked to be numbers.
  if ((baseMs as number) <= (capMs as number)) return []
  const message = `expected baseMs to be at most capMs, got ${describeValue(baseMs)} and ${describeValue(capMs)}`
  return [problem([...path, "baseMs"], message, backoff["capMs"] === undefined ? "set capMs too" : undefined)]
}

function checkListedBackoff(path: Path, backoff: Unchecked): Problem[] {
  const delays: unknown = backoff["delaysMs"]
  const delaysPath = [...path, "delaysMs"]
  const excess = Object.keys(EXPONENTIAL_RULES).filter((key) => key !== "jitter" && backoff[key] !== undefined)
  const listed = Array.isArray(delays) && delays.length > 0 && delays.length <= MAX_ATTEMPTS
  return [
    ...checkKeys(path, backoff, ["delaysMs", ...Object.keys(EXPONENTIAL_RULES)]),
    ...excess.map((key) =>
      problem([...path, key], `${key} has no meaning beside delaysMs`, `remove ${key} or delaysMs`),
    ),
    ...checkOption([...path, "jitter"], backoff["jitter"], jitterRule),
    ...(listed
      ? delays.flatMap((delay, index) => checkRequired([...delaysPath, index], delay, delayRule))
      : [expectedProblem(delaysPath, `a list of 1 to ${MAX_ATTEMPTS} delays`, delays)]),
  ]
}

function checkInputSchema(schema: unknown): Problem[] {
  if (schema === undefined || isStandardSchema(schema)) return []
  const path = ["input"]
  if (!isObject(schema)) return [expectedProblem(path, "a Standard Schema or a JSON Schema object", schema)]
  try {
    encodeJson(schema, { what: "input", maxBytes: MAX_SCHEMA_BYTES, code: "TASKER_WORKFLOW_INVALID" })
    return []
  } catch (error) {
    if (!isTaskerError(error)) throw error
    return [problem(path, error.message, error.hint)]
  }
}

function checkSteps(steps: unknown): Problem[] {
  const path = ["steps"]
  if (!Array.isArray(steps)) return [expectedProblem(path, "a list", steps)]
  if (steps.length > MAX_STEPS) return [expectedProblem(path, `a list of at most ${MAX_STEPS} steps`, steps)]
  const items: readonly unknown[] = steps
  return [...items.flatMap((step, index) => checkStep([...path, index], step)), ...checkGraph(items)]
}

function checkStep(path: Path, step: unknown): Problem[] {
  if (!isObject(step)) return [expectedProblem(path, "an object", step)]
  const { handler } = step
  return [
    ...checkKeys(path, step, STEP_KEYS),
    ...checkRequired([...path, "name"], step["name"], nameRule),
    ...checkRules(path, step, STEP_RULES),
    ...checkBackoff([...path, "backoff"], step["backoff"]),
    ...(typeof handler === "string" ? checkOption([...path, "handler"], handler, handlerNameRule) : []),
    ...checkDependencies([...path, "dependsOn"], step["dependsOn"]),
  ]
}

function checkDependencies(path: Path, dependsOn: unknown): Problem[] {
  if (dependsOn === undefined) return []
  if (!Array.isArray(dependsOn)) return [expectedProblem(path, "a list of step names", dependsOn)]
  return dependsOn.flatMap((name: unknown, index) =>
    typeof name === "string" ? [] : [expectedProblem([...path, index], "a step name", name)],
  )
}

/** The graph of whatever has a name, so that a bad option elsewhere hides no bad dependency. */
function checkGraph(steps: readonly unknown[]): Problem[] {
  const nodes: DagNode[] = []
  const indices: number[] = []
  for (const [index, step] of steps.entries()) {
    if (!isObject(step) || typeof step["name"] !== "string") continue
    const dependsOn: readonly unknown[] = Array.isArray(step["dependsOn"]) ? step["dependsOn"] : []
    nodes.push({ name: step["name"], dependsOn: dependsOn.every((name) => typeof name === "string") ? dependsOn : [] })
    indices.push(index)
  }
  return validateDag(nodes).map(({ segments: [node, ...rest], message, hint }) => {
    // The paths of validateDag start at an index of its list.
    return problem(["steps", indices[node as number] as number, ...rest], message, hint)
  })
}
