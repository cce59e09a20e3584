import { expect, test } from "vitest"
import { createCell } from "./cells.ts"
import { LabelTree } from "./label-tree.ts"

function createTree(limit: number) {
  const capped: string[] = []
  const tree = new LabelTree({
    labels: ["step", "outcome"],
    bounded: new Set(["outcome"]),
    limit,
    create: createCell,
    onCapped: () => capped.push("capped"),
  })
  return { tree, capped }
}

test("gives the same cell for the same values, and another for others", () => {
  const { tree } = createTree(10)
  tree.at("a", "complete").value += 1
  tree.at("a", "complete").value += 1
  tree.at("a", "error").value += 1
  expect(tree.at("b", "complete")).not.toBe(tree.at("a", "complete"))
  expect(tree.cells).toEqual([
    { labels: { step: "a", outcome: "complete" }, value: 2 },
    { labels: { step: "a", outcome: "error" }, value: 1 },
    { labels: { step: "b", outcome: "complete" }, value: 0 },
  ])
})

test("does not take values apart that another separator would join", () => {
  const { tree } = createTree(10)
  tree.at("a,b", "c").value += 1
  expect(tree.at("a", "b,c").value).toBe(0)
})

test("beyond the limit values go to others, each time told, and labels with few values stay", () => {
  const { tree, capped } = createTree(2)
  tree.at("a", "complete")
  tree.at("b", "complete")
  for (const step of ["c", "d", "e", "c"]) tree.at(step, "complete").value += 1
  tree.at("c", "error").value += 1
  // What was there before the limit still counts by itself.
  tree.at("a", "complete").value += 1
  expect(tree.cells).toEqual([
    { labels: { step: "a", outcome: "complete" }, value: 1 },
    { labels: { step: "b", outcome: "complete" }, value: 0 },
    { labels: { step: "other", outcome: "complete" }, value: 4 },
    { labels: { step: "other", outcome: "error" }, value: 1 },
  ])
  expect(capped).toHaveLength(5)
})

test("starts anew when it is cleared", () => {
  const { tree, capped } = createTree(1)
  tree.at("a", "complete").value += 1
  tree.clear()
  tree.at("b", "complete")
  expect(tree.cells).toEqual([{ labels: { step: "b", outcome: "complete" }, value: 0 }])
  expect(capped).toEqual([])
})
