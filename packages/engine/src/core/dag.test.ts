import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { type DagNode, levels, topologicalOrder, validateDag } from "./dag.ts"

function node(name: string, ...dependsOn: string[]): DagNode {
  return { name, dependsOn }
}

function messages(nodes: readonly DagNode[]): readonly string[] {
  return validateDag(nodes).map(
    ({ path, message, hint }) => `${path} ${message}${hint === undefined ? "" : `; ${hint}`}`,
  )
}

/** Any graph of up to 12 nodes, faulty or not. */
const graphs = fc
  .integer({ min: 0, max: 12 })
  .chain((size) =>
    fc
      .array(fc.uniqueArray(fc.nat(Math.max(0, size - 1)), { maxLength: 3 }), { minLength: size, maxLength: size })
      .map((parents) => parents.map((own, index) => node(`s${index}`, ...own.map((parent) => `s${parent}`)))),
  )

/** A graph without faults, in any order. */
const validGraphs = fc
  .integer({ min: 0, max: 40 })
  .chain((size) =>
    fc.tuple(
      fc.array(fc.array(fc.nat(1_000), { maxLength: 4 }), { minLength: size, maxLength: size }),
      fc.shuffledSubarray([...Array(size).keys()], { minLength: size, maxLength: size }),
    ),
  )
  .map(([picks, order]) => {
    const nodes = picks.map((own, index) => {
      const parents = index === 0 ? [] : [...new Set(own.map((pick) => `s${pick % index}`))]
      return node(`s${index}`, ...parents)
    })
    return order.map((index) => nodes[index]!)
  })

/** The reference: whether removing nodes without parents, again and again, leaves nothing. */
function isAcyclic(nodes: readonly DagNode[]): boolean {
  let rest = nodes
  for (let size = -1; size !== rest.length;) {
    size = rest.length
    const names = new Set(rest.map(({ name }) => name))
    rest = rest.filter(({ dependsOn }) => dependsOn.some((name) => names.has(name)))
  }
  return rest.length === 0
}

describe(validateDag, () => {
  test("a graph without faults has no problems", () => {
    fc.assert(
      fc.property(validGraphs, (nodes) => {
        expect(validateDag(nodes)).toEqual([])
      }),
    )
  })

  test("a name that is declared twice is reported where it is declared again", () => {
    expect(messages([node("a"), node("b"), node("a"), node("a")])).toEqual([
      '[2].name step "a" is declared twice; rename one of them',
      '[3].name step "a" is declared twice; rename one of them',
    ])
  })

  test("a dependency that is not declared is reported with the name that was likely meant", () => {
    expect(messages([node("load_cart"), node("price", "load_cart", "lode_cart"), node("ship", "xyz")])).toEqual([
      '[1].dependsOn[1] step "price" depends on "lode_cart", which this workflow does not declare; did you mean "load_cart"?',
      '[2].dependsOn[0] step "ship" depends on "xyz", which this workflow does not declare',
    ])
  })

  test("a dependency that is named twice is reported", () => {
    expect(messages([node("a"), node("b", "a", "a")])).toEqual([
      '[1].dependsOn[1] step "b" names its dependency "a" twice',
    ])
  })

  test("a cycle is spelled out, and what only waits for it is not accused", () => {
    expect(
      messages([node("load"), node("a", "load", "c"), node("b", "a"), node("c", "load", "b"), node("d", "c")]),
    ).toEqual(["[1].dependsOn[1] dependency cycle: a -> c -> b -> a; remove one of these dependencies"])
  })

  test("a step that depends on itself is a cycle", () => {
    expect(messages([node("a", "a")])).toEqual([
      "[0].dependsOn[0] dependency cycle: a -> a; remove one of these dependencies",
    ])
  })

  test("two cycles are two problems", () => {
    expect(validateDag([node("a", "b"), node("b", "a"), node("c", "d"), node("d", "c")])).toHaveLength(2)
  })

  test("while a name is declared twice, cycles wait", () => {
    expect(messages([node("a", "b"), node("b", "a"), node("a")])).toHaveLength(1)
  })

  test("cycles are found exactly when there are some, and each that is named is one", () => {
    fc.assert(
      fc.property(graphs, (nodes) => {
        const dependsOn = new Map(nodes.map((each) => [each.name, each.dependsOn]))
        const found = validateDag(nodes)

        expect(found.length === 0).toBe(isAcyclic(nodes))
        for (const { message } of found) {
          const cycle = message.replace("dependency cycle: ", "").split(" -> ")
          expect(cycle[0]).toBe(cycle.at(-1))
          for (const [index, name] of cycle.slice(0, -1).entries())
            expect(dependsOn.get(name)).toContain(cycle[index + 1])
        }
      }),
    )
  })
})

describe(topologicalOrder, () => {
  test("each step comes once, and after all that it depends on", () => {
    fc.assert(
      fc.property(validGraphs, (nodes) => {
        const order = topologicalOrder(nodes)
        const seen = new Set<string>()
        for (const index of order) {
          for (const parent of nodes[index]!.dependsOn) expect(seen).toContain(parent)
          seen.add(nodes[index]!.name)
        }
        expect(order.toSorted((a, b) => a - b)).toEqual([...nodes.keys()])
      }),
    )
  })

  test("a list that is in such an order keeps it", () => {
    fc.assert(
      fc.property(validGraphs, (nodes) => {
        const sorted = topologicalOrder(nodes).map((index) => nodes[index]!)
        expect(topologicalOrder(sorted)).toEqual([...sorted.keys()])
      }),
    )
  })

  test("a chain of 10,000 steps that is listed backwards is sorted", () => {
    const chain = Array.from({ length: 10_000 }, (_, index) =>
      index === 0 ? node("s0") : node(`s${index}`, `s${index - 1}`),
    )
    const order = topologicalOrder(chain.toReversed())

    expect(order[0]).toBe(9_999)
    expect(order.at(-1)).toBe(0)
  })
})

describe(levels, () => {
  test("a level is the length of the longest path", () => {
    expect(levels([node("d", "b", "c"), node("a"), node("b", "a"), node("c"), node("e", "d")])).toEqual([2, 0, 1, 0, 3])
  })

  test("it is one more than the highest of what a step depends on", () => {
    fc.assert(
      fc.property(validGraphs, (nodes) => {
        const byName = new Map(levels(nodes).map((level, index) => [nodes[index]!.name, level]))
        for (const { name, dependsOn } of nodes) {
          expect(byName.get(name)).toBe(Math.max(-1, ...dependsOn.map((parent) => byName.get(parent)!)) + 1)
        }
      }),
    )
  })
})
