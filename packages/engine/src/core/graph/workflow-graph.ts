import type { StepSpec, WorkflowDefinition, WorkflowId } from "../workflow.ts"
import { createStepGraph } from "./step-graph.ts"

/** A step of a workflow, with its place in the graph. */
export interface WorkflowGraphNode extends Omit<StepSpec, "backoff"> {
  /** The length of the longest path that leads to it: 0 for one that depends on nothing. */
  readonly level: number
  /** The steps that depend on it. */
  readonly dependents: readonly string[]
}

/** `to` depends on `from`. */
export interface GraphEdge {
  readonly from: string
  readonly to: string
}

/** A workflow as a graph. It has no cycles: a workflow with one cannot be defined. */
export interface WorkflowGraph {
  readonly workflow: WorkflowId
  /** In an order in which each comes after all that it depends on. */
  readonly nodes: readonly WorkflowGraphNode[]
  readonly edges: readonly GraphEdge[]
  /** The names of the steps of each level. */
  readonly levels: readonly (readonly string[])[]
  /** Steps that depend on nothing. */
  readonly roots: readonly string[]
  /** Steps that nothing depends on. */
  readonly leaves: readonly string[]
  readonly summary: {
    readonly stepCount: number
    readonly dependencyCount: number
    /** How many steps the longest path has. */
    readonly depth: number
    /** How many steps the widest level has. */
    readonly width: number
  }
}

/**
 * The graph of a workflow's definition, without running or storing anything.
 *
 * @throws TaskerError `TASKER_WORKFLOW_INVALID` when the workflow breaks a rule
 *
 * @example
 * ```ts
 * const { levels, summary } = workflowGraph(processOrder)
 * ```
 */
export function workflowGraph({ definition }: { readonly definition: WorkflowDefinition }): WorkflowGraph {
  const { namespace, name, version, steps } = definition
  const indexOf = new Map(steps.map((step, index) => [step.name, index]))
  const graph = createStepGraph(steps.map(({ dependsOn }) => dependsOn.flatMap((parent) => indexOf.get(parent) ?? [])))
  const nameOf = (index: number): string => steps[index]?.name ?? ""
  const levels: string[][] = []
  const nodes = steps.map(({ backoff: _backoff, ...step }, index): WorkflowGraphNode => {
    const level = graph.levels[index] ?? 0
    ;(levels[level] ??= []).push(step.name)
    return { ...step, level, dependents: (graph.children[index] ?? []).map(nameOf) }
  })
  const edges = steps.flatMap((step) => step.dependsOn.map((from) => ({ from, to: step.name })))
  return {
    workflow: { namespace, name, version },
    nodes,
    edges,
    levels,
    roots: nodes.filter(({ dependsOn }) => dependsOn.length === 0).map((node) => node.name),
    leaves: nodes.filter(({ dependents }) => dependents.length === 0).map((node) => node.name),
    summary: {
      stepCount: nodes.length,
      dependencyCount: edges.length,
      depth: levels.length,
      width: Math.max(0, ...levels.map((level) => level.length)),
    },
  }
}
