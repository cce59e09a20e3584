import { isDeepStrictEqual } from "node:util"
import type { AnyWorkflow, RunnableStep, StepSpec, WorkflowDefinition } from "../core/workflow.ts"

/**
 * How a workflow differs from another one of the same name and version, in
 * words that follow "is already registered"; `undefined` when they mean the same.
 *
 * Handlers are compared as functions and configs by value. A config may hold
 * secrets, so nothing of it is said.
 */
export function compareWorkflows(existing: AnyWorkflow, workflow: AnyWorkflow): string | undefined {
  const definition = compareDefinitions(existing.definition, workflow.definition)
  if (definition.length > 0) return `with another definition: ${definition.join("; ")}`
  const handlers = otherSteps(existing, workflow, (one, other) => one.handler === other.handler)
  const configs = otherSteps(existing, workflow, (one, other) => isDeepStrictEqual(one.config, other.config))
  const parts = [
    ...(handlers.length > 0 ? [`another handler of ${listOf(handlers)}`] : []),
    ...(configs.length > 0 ? [`another config of ${listOf(configs)}`] : []),
    ...(sameSchema(existing.inputSchema, workflow.inputSchema) ? [] : ["another schema of the input"]),
    ...otherEvents(existing, workflow).map((name) => `another schema of event "${name}"`),
  ]
  return parts.length === 0 ? undefined : `with ${parts.join(" and ")}`
}

/**
 * What differs between two definitions: steps added, removed or changed, and
 * options of the workflow. The order of keys means nothing; the order of steps
 * does, since a step's number is its place.
 */
export function compareDefinitions(existing: WorkflowDefinition, definition: WorkflowDefinition): readonly string[] {
  const before = new Map(existing.steps.map((step) => [step.name, step]))
  const after = new Map(definition.steps.map((step) => [step.name, step]))
  const added = [...after.keys()].filter((name) => !before.has(name))
  const removed = [...before.keys()].filter((name) => !after.has(name))
  const changed = definition.steps.flatMap((step) => describeChange(before.get(step.name), step))
  const isReordered = added.length + removed.length === 0 && !isDeepStrictEqual([...before.keys()], [...after.keys()])
  const options = changedKeys(existing, definition).filter((key) => key !== "steps")
  return [
    ...(added.length > 0 ? [`${stepOrSteps(added)} added: ${listOf(added)}`] : []),
    ...(removed.length > 0 ? [`${stepOrSteps(removed)} removed: ${listOf(removed)}`] : []),
    ...(changed.length > 0 ? [`${stepOrSteps(changed)} changed: ${changed.join(", ")}`] : []),
    ...(isReordered ? ["steps in another order"] : []),
    ...(options.length > 0 ? [`${options.join(", ")} changed`] : []),
  ]
}

function describeChange(before: StepSpec | undefined, step: StepSpec): readonly string[] {
  const keys = before === undefined ? [] : changedKeys(before, step)
  return keys.length === 0 ? [] : [`"${step.name}" (${keys.join(", ")})`]
}

function changedKeys<T extends object>(before: T, after: T): readonly string[] {
  const [one, other] = [new Map(Object.entries(before)), new Map(Object.entries(after))]
  return [...new Set([...one.keys(), ...other.keys()])].filter(
    (key) => !isDeepStrictEqual(one.get(key), other.get(key)),
  )
}

/** The names of the steps that are not the same in both; both have the same steps in the same order. */
function otherSteps(
  existing: AnyWorkflow,
  workflow: AnyWorkflow,
  isSame: (one: RunnableStep, other: RunnableStep) => boolean,
): readonly string[] {
  return workflow.steps.flatMap((step, index) => {
    const before = existing.steps[index]
    return before !== undefined && isSame(before, step) ? [] : [step.spec.name]
  })
}

/** A JSON Schema is part of the definition and was compared; another schema is the same only when it is one. */
function sameSchema(existing: AnyWorkflow["inputSchema"], schema: AnyWorkflow["inputSchema"]): boolean {
  return existing === schema || [existing, schema].every((one) => one !== null && !("~standard" in one))
}

/** The definitions are the same, so both have the same events in the same order. */
function otherEvents(existing: AnyWorkflow, workflow: AnyWorkflow): readonly string[] {
  return workflow.events.flatMap(({ name, schema }, index) =>
    sameSchema(existing.events[index]?.schema ?? null, schema) ? [] : [name],
  )
}

function stepOrSteps(names: readonly string[]): string {
  return names.length === 1 ? "step" : "steps"
}

function listOf(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ")
}
