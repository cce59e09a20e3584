import { didYouMean } from "./names.ts"
import { type Problem, problem } from "./problem.ts"

/** A step as the graph sees it. */
export interface DagNode {
  readonly name: string
  readonly dependsOn: readonly string[]
}

/**
 * Finds what is wrong with a graph: names declared twice, dependencies that are
 * not declared or named twice, and cycles, each spelled out. While a name is
 * declared twice the graph is ambiguous, so cycles wait.
 *
 * @returns the problems; their paths start at the list: `[2, "dependsOn", 0]`
 */
export function validateDag(nodes: readonly DagNode[]): readonly Problem[] {
  const names = new Set(nodes.map((node) => node.name))
  const local = [...duplicateNames(nodes), ...nodes.flatMap((node, index) => dependencyProblems(node, index, names))]
  return names.size === nodes.length ? [...local, ...cycleProblems(nodes)] : local
}

/**
 * The indices of a valid graph's nodes, each after all that it depends on. A
 * list that is in such an order already keeps it.
 */
export function topologicalOrder(nodes: readonly DagNode[]): readonly number[] {
  return walk(nodes).order
}

/** The length of the longest path to each node of a valid graph: 0 for one that depends on nothing. */
export function levels(nodes: readonly DagNode[]): readonly number[] {
  const indexOf = indexByName(nodes)
  const result = nodes.map(() => 0)
  for (const index of topologicalOrder(nodes)) {
    result[index] = Math.max(0, ...parentsOf(nodes, indexOf, index).map((parent) => level(result, parent) + 1))
  }
  return result
}

function level(result: readonly number[], index: number): number {
  // Parents are indices of the same list.
  return result[index] as number
}

function duplicateNames(nodes: readonly DagNode[]): Problem[] {
  const seen = new Set<string>()
  return nodes.flatMap(({ name }, index) => {
    if (seen.has(name)) return [problem([index, "name"], `step "${name}" is declared twice`, "rename one of them")]
    seen.add(name)
    return []
  })
}

function dependencyProblems(node: DagNode, index: number, names: ReadonlySet<string>): Problem[] {
  const seen = new Set<string>()
  return node.dependsOn.flatMap((dependency, position) => {
    const path = [index, "dependsOn", position]
    if (seen.has(dependency)) return [problem(path, `step "${node.name}" names its dependency "${dependency}" twice`)]
    seen.add(dependency)
    if (names.has(dependency)) return []
    const message = `step "${node.name}" depends on "${dependency}", which this workflow does not declare`
    return [problem(path, message, didYouMean(dependency, names))]
  })
}

function cycleProblems(nodes: readonly DagNode[]): Problem[] {
  return walk(nodes).cycles.map((cycle) => {
    const names = cycle.map((index) => nodeAt(nodes, index).name)
    const first = nodeAt(nodes, cycle[0] as number) // A cycle has at least one step.
    const next = names[1] ?? first.name
    const path = [cycle[0] as number, "dependsOn", first.dependsOn.indexOf(next)]
    return problem(path, `dependency cycle: ${[...names, first.name].join(" -> ")}`, "remove one of these dependencies")
  })
}

interface Walk {
  readonly order: readonly number[]
  /** Each a list of indices; every node depends on the next, and the last on the first. */
  readonly cycles: readonly (readonly number[])[]
}

/**
 * Visits each node after its dependencies, in the order of the list. Depth
 * first on a stack of its own, because a chain of 10,000 steps that is listed
 * backwards is deeper than the call stack.
 */
function walk(nodes: readonly DagNode[]): Walk {
  const indexOf = indexByName(nodes)
  const order: number[] = []
  const cycles: number[][] = []
  const entered = new Set<number>()
  const left = new Set<number>()

  for (const start of nodes.keys()) {
    const path = entered.has(start) ? [] : [frame(start)]
    entered.add(start)
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const parent = top.parents[top.next++]
      if (parent === undefined) {
        left.add(top.index)
        order.push(top.index)
        path.pop()
      } else if (!entered.has(parent)) {
        entered.add(parent)
        path.push(frame(parent))
      } else if (!left.has(parent)) {
        const indices = path.map(({ index }) => index)
        cycles.push(indices.slice(indices.indexOf(parent)))
      }
    }
  }
  return { order, cycles }

  function frame(index: number): { readonly index: number; readonly parents: readonly number[]; next: number } {
    return { index, parents: parentsOf(nodes, indexOf, index), next: 0 }
  }
}

function indexByName(nodes: readonly DagNode[]): ReadonlyMap<string, number> {
  return new Map(nodes.map(({ name }, index) => [name, index]))
}

function parentsOf(nodes: readonly DagNode[], indexOf: ReadonlyMap<string, number>, index: number): readonly number[] {
  const known = nodeAt(nodes, index).dependsOn.flatMap((name) => indexOf.get(name) ?? [])
  return [...new Set(known)]
}

function nodeAt(nodes: readonly DagNode[], index: number): DagNode {
  // Only indices of this list are passed around in this file.
  return nodes[index] as DagNode
}
