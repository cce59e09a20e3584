import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { countDownstream, createStepGraph, longestPath, stepsBelow, type StepGraph } from "./step-graph.ts"

/** The parents of each step of any graph of up to 40 steps. */
const anyParents = fc
  .array(fc.array(fc.nat(1_000), { maxLength: 4 }), { maxLength: 40 })
  .map((picks) =>
    picks.map((own, index) =>
      index === 0 ? [] : [...new Set(own.map((pick) => pick % index))].toSorted((a, b) => a - b),
    ),
  )

/** The reference: all that is below a step, by going every way. */
function below(graph: StepGraph, step: number): ReadonlySet<number> {
  return new Set(graph.children[step]!.flatMap((child) => [child, ...below(graph, child)]))
}

/** The reference: every path that ends at a step. */
function pathsTo(graph: StepGraph, step: number): readonly (readonly number[])[] {
  const before = graph.parents[step]!.flatMap((parent) => pathsTo(graph, parent))
  return [[step], ...before.map((path) => [...path, step])]
}

/** Each step of a level after all of the level before. */
function lattice(width: number, depth: number): readonly (readonly number[])[] {
  return Array.from({ length: width * depth }, (_, step) => {
    const level = Math.floor(step / width)
    return level === 0 ? [] : Array.from({ length: width }, (_parent, index) => (level - 1) * width + index)
  })
}

describe(createStepGraph, () => {
  test("a step is one level below the lowest of its parents, and each parent has it as a child", () => {
    const graph = createStepGraph([[], [0], [0, 1], [], [3, 2]])
    expect(graph.levels).toEqual([0, 1, 2, 0, 3])
    expect(graph.children).toEqual([[1, 2], [2], [4], [4], []])
    expect(createStepGraph([])).toEqual({ size: 0, parents: [], children: [], levels: [] })
  })
})

describe(countDownstream, () => {
  test("counts each step below once, and of these those that are asked for", () => {
    fc.assert(
      fc.property(anyParents, (parents) => {
        const graph = createStepGraph(parents)
        const isEven = (step: number) => step % 2 === 0
        const expected = parents.map((_own, step) => {
          const all = [...below(graph, step)]
          return { total: all.length, counted: all.filter(isEven).length }
        })
        expect(countDownstream(graph, isEven)).toEqual(expected)
        expect(parents.map((_own, step) => stepsBelow(graph, [step]).length)).toEqual(
          expected.map(({ total }) => total),
        )
      }),
    )
  })

  test("of several steps, a step below more than one is below them once", () => {
    const graph = createStepGraph([[], [], [0, 1], [2], [1]])
    expect(stepsBelow(graph, [0, 1])).toEqual([2, 3, 4])
    expect(stepsBelow(graph, [2, 3])).toEqual([3])
    expect(stepsBelow(graph, [])).toEqual([])
  })

  test("takes no longer where paths cannot be counted any more: 60 wide, 60 deep, 60^60 paths", () => {
    const graph = createStepGraph(lattice(60, 60))
    expect(countDownstream(graph, () => true).map(({ total }) => total)).toEqual(
      Array.from({ length: 3_600 }, (_, step) => 60 * (59 - Math.floor(step / 60))),
    )
  })

  test("and for the longest chain that there may be", () => {
    const graph = createStepGraph(Array.from({ length: 10_000 }, (_, step) => (step === 0 ? [] : [step - 1])))
    expect(countDownstream(graph, (step) => step >= 9_990)[0]).toEqual({ total: 9_999, counted: 10 })
  })
})

describe(longestPath, () => {
  const weight = fc.option(fc.nat(1_000), { nil: undefined, freq: 5 })
  const weighted = anyParents
    .map((parents) => parents.slice(0, 12))
    .chain((parents) =>
      fc.tuple(fc.constant(parents), fc.array(weight, { minLength: parents.length, maxLength: parents.length })),
    )

  test("is the heaviest of all paths, each of which was tried", () => {
    fc.assert(
      fc.property(weighted, ([parents, weights]) => {
        const graph = createStepGraph(parents)
        const allowed = parents
          .flatMap((_own, step) => pathsTo(graph, step))
          .filter((path) => path.every((step) => weights[step] !== undefined))
        const weightOf = (path: readonly number[]) => path.reduce((sum, step) => sum + (weights[step] ?? 0), 0)
        const found = longestPath(graph, weights)
        expect(found.weight).toBe(Math.max(0, ...allowed.map(weightOf)))
        expect(weightOf(found.steps)).toBe(found.weight)
        for (const [index, step] of found.steps.entries()) {
          if (index > 0) expect(graph.parents[step]).toContain(found.steps[index - 1])
        }
      }),
    )
  })

  test("there is none when no step may be on it", () => {
    expect(longestPath(createStepGraph([[], [0]]), [undefined, undefined])).toEqual({ steps: [], weight: 0 })
    expect(longestPath(createStepGraph([]), [])).toEqual({ steps: [], weight: 0 })
  })

  test("takes no longer where paths cannot be counted any more", () => {
    const graph = createStepGraph(lattice(60, 60))
    const weights = Array.from({ length: 3_600 }, (_, step) => (step % 60 === 7 ? 2 : 1))
    const found = longestPath(graph, weights)
    expect(found.weight).toBe(120)
    expect(found.steps).toEqual(Array.from({ length: 60 }, (_, level) => level * 60 + 7))
  })
})
