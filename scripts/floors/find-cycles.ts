/**
 * Finds circles in a graph: not all of them, but enough that every node on a circle is on one that is returned.
 *
 * @returns each circle as its path, the first node repeated at the end
 */
export function findCycles(graph: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const seen = new Set<string>()
  const cycles: (readonly string[])[] = []
  for (const start of [...graph.keys()].toSorted()) {
    if (seen.has(start)) continue
    const cycle = shortestWayBack(graph, start)
    if (cycle === undefined) continue
    for (const node of cycle) seen.add(node)
    cycles.push(cycle)
  }
  return cycles
}

/** Breadth first, so that the circle shown is the shortest through `start`. */
function shortestWayBack(graph: ReadonlyMap<string, readonly string[]>, start: string): readonly string[] | undefined {
  const cameFrom = new Map<string, string>()
  const waiting = [start]
  for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) {
    for (const next of graph.get(node) ?? []) {
      if (next === start) return [...pathTo(cameFrom, start, node), start]
      if (cameFrom.has(next)) continue
      cameFrom.set(next, node)
      waiting.push(next)
    }
  }
  return undefined
}

function pathTo(cameFrom: ReadonlyMap<string, string>, start: string, end: string): readonly string[] {
  const path = [end]
  for (let node = end; node !== start;) {
    node = cameFrom.get(node) ?? start
    path.unshift(node)
  }
  return path
}
