import { describe, expect, test } from "vitest"
import { defineWorkflow } from "../define-workflow.ts"
import { workflowGraph } from "./workflow-graph.ts"

const nothing = () => null

describe(workflowGraph, () => {
  test("has nodes with their levels, edges, roots, leaves, and how deep and wide it is", () => {
    const workflow = defineWorkflow({ namespace: "shop", name: "order", version: "1.2.0" })
      .step("cart", { handler: nothing })
      .step("coupon", { handler: nothing, skippable: true, queue: "slow" })
      .step("charge", { dependsOn: ["cart", "coupon"], handler: nothing, maxAttempts: 7 })
      .step("pack", { dependsOn: ["cart"], handler: nothing })
      .step("send", { dependsOn: ["pack", "charge"], handler: nothing })
    const graph = workflowGraph(workflow)

    expect(graph.workflow).toEqual({ namespace: "shop", name: "order", version: "1.2.0" })
    expect(graph.nodes.map(({ name, level, dependents }) => [name, level, dependents])).toEqual([
      ["cart", 0, ["charge", "pack"]],
      ["coupon", 0, ["charge"]],
      ["charge", 1, ["send"]],
      ["pack", 1, ["send"]],
      ["send", 2, []],
    ])
    expect(graph.nodes[1]).toMatchObject({ queue: "slow", skippable: true, handlerName: "shop.coupon", dependsOn: [] })
    expect(graph.nodes[2]).toMatchObject({ maxAttempts: 7, dependsOn: ["cart", "coupon"] })
    expect(graph.edges).toEqual([
      { from: "cart", to: "charge" },
      { from: "coupon", to: "charge" },
      { from: "cart", to: "pack" },
      { from: "pack", to: "send" },
      { from: "charge", to: "send" },
    ])
    expect(graph.levels).toEqual([["cart", "coupon"], ["charge", "pack"], ["send"]])
    expect([graph.roots, graph.leaves]).toEqual([["cart", "coupon"], ["send"]])
    expect(graph.summary).toEqual({ stepCount: 5, dependencyCount: 5, depth: 3, width: 2 })
  })

  test("a workflow without steps has an empty graph", () => {
    const empty = defineWorkflow({ name: "empty", version: "1.0.0" })
    expect(workflowGraph(empty)).toMatchObject({
      nodes: [],
      edges: [],
      levels: [],
      roots: [],
      summary: { stepCount: 0, dependencyCount: 0, depth: 0, width: 0 },
    })
  })
})
