import { describe, expect, test } from "vitest"
import { z } from "zod"
import { buildWorkflow } from "../core/build-workflow.ts"
import type { StepSource, WorkflowSource } from "../core/workflow-source.ts"
import type { AnyWorkflow } from "../core/workflow.ts"
import { createHandlerRegistry } from "./handler-registry.ts"
import type { RegistryChange } from "./registry-change.ts"

const priceCart = () => ({ cents: 100 })
const chargeCard = () => ({ id: "ch_1" })

const steps: readonly StepSource[] = [
  { name: "price_cart", handler: priceCart },
  { name: "charge_card", handler: chargeCard, dependsOn: ["price_cart"], config: { key: "sk_live_1" } },
]

function workflow(source: Partial<WorkflowSource> = {}): AnyWorkflow {
  return buildWorkflow({ namespace: "shop", name: "process_order", version: "1.0.0", steps, ...source })
}

function registryOf(...versions: readonly string[]) {
  const registry = createHandlerRegistry()
  for (const version of versions) registry.register(workflow({ version }))
  return registry
}

const versionOf = (found: { workflow: AnyWorkflow } | undefined) => found?.workflow.version

describe("get", () => {
  const registry = registryOf("1.9.0", "1.10.0", "2.0.0-beta.2", "2.0.0-beta.10", "0.3.0")

  test.each([
    [undefined, "1.10.0"],
    ["latest", "1.10.0"],
    ["*", "1.10.0"],
    ["1.9.0", "1.9.0"],
    ["^1.0.0", "1.10.0"],
    ["~1.9", "1.9.0"],
    ["<1", "0.3.0"],
    ["2.0.0-beta.2", "2.0.0-beta.2"],
    [">=2.0.0-beta.1", "2.0.0-beta.10"],
  ])("%s gives %s", (range, version) => {
    expect(versionOf(registry.get("shop", "process_order", range))).toBe(version)
  })

  test("says which versions there are when none is in the range", () => {
    expect(() => registry.get("shop", "process_order", "^3")).toThrow(
      expect.objectContaining({
        code: "TASKER_WORKFLOW_NOT_FOUND",
        message:
          'workflow "shop/process_order" has no version that is "^3", only 0.3.0, 1.9.0, 1.10.0, 2.0.0-beta.2, 2.0.0-beta.10',
        details: {
          namespace: "shop",
          name: "process_order",
          range: "^3",
          versions: ["0.3.0", "1.9.0", "1.10.0", "2.0.0-beta.2", "2.0.0-beta.10"],
        },
      }),
    )
    expect(registry.find("shop", "process_order", "^3")).toBeUndefined()
  })

  test("hands out a prerelease only to who asks for one", () => {
    const beta = registryOf("2.0.0-beta.1")
    expect(() => beta.get("shop", "process_order")).toThrow(
      expect.objectContaining({
        message: 'workflow "shop/process_order" has no release, only 2.0.0-beta.1',
        hint: "name a prerelease to get it",
      }),
    )
    expect(versionOf(beta.get("shop", "process_order", "latest"))).toBe("2.0.0-beta.1")
  })

  test.each([
    ["shop", "proces_order", 'did you mean "process_order"?'],
    ["shopp", "process_orders", 'did you mean "shop"?'],
    ["payments", "process_order", 'it is registered in namespace "shop"'],
    ["shop", "something_else", "register it, or check its name"],
    ["__proto__", "constructor", "register it, or check its name"],
  ])("%s/%s is not found: %s", (namespace, name, hint) => {
    expect(() => registry.get(namespace, name)).toThrow(
      expect.objectContaining({
        code: "TASKER_WORKFLOW_NOT_FOUND",
        message: `no workflow "${name}" is registered in namespace "${namespace}"`,
        hint,
      }),
    )
  })

  test("refuses what is no range", () => {
    expect(() => registry.get("shop", "process_order", "newest")).toThrow(
      expect.objectContaining({ code: "TASKER_OPTION_INVALID" }),
    )
  })
})

describe("register", () => {
  test("returns what validates the input, with its defaults", () => {
    const input = z.object({ id: z.string(), size: z.number().default(1) })
    const { validateInput } = createHandlerRegistry().register(workflow({ input }))
    expect(validateInput({ id: "a" })).toEqual({ id: "a", size: 1 })
    expect(() => validateInput({})).toThrow(expect.objectContaining({ code: "TASKER_INPUT_INVALID" }))
  })

  test("takes a workflow that means the same again, and keeps the first", () => {
    const registry = createHandlerRegistry()
    const first = registry.register(workflow())
    expect(registry.register(workflow())).toBe(first)
    expect(registry.register(first.workflow)).toBe(first)
    expect(registry.stats().registeredCount).toBe(1)
  })

  const [price, charge] = steps as [StepSource, StepSource]
  const other = () => 1
  test.each([
    [
      "a step added",
      { steps: [...steps, { name: "ship", handler: other }] },
      'with another definition: step added: "ship"',
    ],
    ["a step removed", { steps: [price] }, 'with another definition: step removed: "charge_card"'],
    [
      "steps changed",
      {
        steps: [
          { ...price, timeoutMs: 5 },
          { ...charge, dependsOn: [], maxAttempts: 9 },
        ],
      },
      'with another definition: steps changed: "price_cart" (timeoutMs), "charge_card" (dependsOn, maxAttempts)',
    ],
    [
      "all at once",
      {
        description: "x",
        steps: [
          { ...price, skippable: true },
          { name: "ship", handler: other },
        ],
      },
      'with another definition: step added: "ship"; step removed: "charge_card"; step changed: "price_cart" (skippable); description changed',
    ],
    [
      "the order of independent steps",
      { steps: [{ ...charge, dependsOn: [] }, price] },
      'with another definition: step changed: "charge_card" (dependsOn); steps in another order',
    ],
    ["the input", { input: { type: "object" } }, "with another definition: inputSchema changed"],
    ["a handler", { steps: [{ ...price, handler: other }, charge] }, 'with another handler of "price_cart"'],
    [
      "a config, of which nothing is said",
      { steps: [price, { ...charge, config: { key: "sk_live_2" } }] },
      'with another config of "charge_card"',
    ],
  ])("refuses a change under the same version: %s", (_, change, difference) => {
    const registry = createHandlerRegistry()
    const first = registry.register(workflow())
    expect(() => registry.register(workflow(change))).toThrow(
      expect.objectContaining({
        code: "TASKER_WORKFLOW_CHANGED",
        message: `workflow "shop/process_order@1.0.0" is already registered, ${difference}`,
        hint: "give the changed workflow a new version, or pass `replace: true`",
      }),
    )
    expect(registry.get("shop", "process_order")).toBe(first)
    expect(registry.register(workflow(change), { replace: true })).not.toBe(first)
    expect(registry.list()).toHaveLength(1)
  })

  test("tells two Standard Schemas apart although both are stored alike", () => {
    const registry = createHandlerRegistry()
    const make = () => workflow({ input: z.object({ at: z.date() }) })
    registry.register(make())
    expect(() => registry.register(make())).toThrow(/with another schema of the input$/)
  })

  test("an invalid JSON Schema is refused, and nothing is registered", () => {
    const registry = createHandlerRegistry()
    expect(() => registry.register(workflow({ input: { type: "objct" } }))).toThrow(
      expect.objectContaining({ code: "TASKER_WORKFLOW_INVALID", message: expect.stringContaining("input.type") }),
    )
    expect(registry.list()).toEqual([])
  })

  test.each<readonly [string, unknown, string]>([
    ["nothing", undefined, "expected a workflow, got nothing"],
    ["a promise", Promise.resolve(), "expected a workflow, got a Promise (await it)"],
    [
      "an object without steps",
      { namespace: "shop", name: "x", version: "1.0.0", definition: { steps: [] }, inputSchema: null },
      "steps: expected steps to be",
    ],
    ["a bad name and version", { ...workflow(), name: "X", version: "1" }, "name: expected name to be"],
    [
      "a missing handler",
      { ...workflow(), steps: [{ spec: { name: "price_cart" } }] },
      'steps[0].handler: expected the handler of step "price_cart" to be a function, got nothing',
    ],
  ])("refuses %s", (_, value, message) => {
    // What a JavaScript user may pass.
    expect(() => createHandlerRegistry().register(value as AnyWorkflow)).toThrow(
      expect.objectContaining({ code: "TASKER_WORKFLOW_INVALID", message: expect.stringContaining(message) }),
    )
  })
})

describe("list, namespaces, unregister and stats", () => {
  const ids = (registry: ReturnType<typeof registryOf>, namespace?: string) =>
    registry.list({ namespace }).map(({ workflow: { namespace: ns, name, version } }) => `${ns}/${name}@${version}`)

  test("are sorted, and by namespace when one is given", () => {
    const registry = registryOf("1.10.0", "1.9.0")
    registry.register(workflow({ namespace: "billing", name: "send_invoice" }))
    expect(ids(registry)).toEqual([
      "billing/send_invoice@1.0.0",
      "shop/process_order@1.9.0",
      "shop/process_order@1.10.0",
    ])
    expect(ids(registry, "billing")).toEqual(["billing/send_invoice@1.0.0"])
    expect(ids(registry, "nobody")).toEqual([])
    expect(registry.namespaces()).toEqual(["billing", "shop"])
    expect(registry.stats()).toEqual({
      kind: "workflow",
      count: 3,
      registeredCount: 3,
      replacedCount: 0,
      unregisteredCount: 0,
      namespaceCount: 2,
      refusedCount: 0,
      nameCount: 2,
      stepCount: 6,
      workflowCountByNamespace: { billing: 1, shop: 2 },
    })
  })

  test("a workflow that was unregistered is gone, and the one before it is the latest", () => {
    const registry = registryOf("1.0.0", "1.1.0")
    const id = { namespace: "shop", name: "process_order", version: "1.1.0" }
    expect(versionOf(registry.get("shop", "process_order"))).toBe("1.1.0")
    expect(registry.unregister(id)).toBe(true)
    expect(registry.unregister(id)).toBe(false)
    expect(versionOf(registry.get("shop", "process_order"))).toBe("1.0.0")
  })
})

describe("onChange", () => {
  test("is told of what was registered, refused and unregistered", () => {
    const changes: RegistryChange[] = []
    const registry = createHandlerRegistry({ onChange: (change) => void changes.push(change) })
    const { namespace, name, version } = registry.register(workflow(), { correlationId: "c-1" }).workflow
    // What a JavaScript user may pass.
    expect(() => registry.register({ name: "half", version: "1.0.0" } as AnyWorkflow)).toThrow(/definition/)
    expect(() => registry.register(null as unknown as AnyWorkflow)).toThrow(/expected a workflow, got null/)
    registry.unregister({ namespace, name, version }, { correlationId: "c-2" })

    const key = "shop/process_order@1.0.0"
    const facts = { namespace, name, version, stepCount: 2 }
    expect(changes).toMatchObject([
      { registry: "handler", operation: "registered", key, facts, correlationId: "c-1" },
      { operation: "validation_failed", key: "half@1.0.0", error: { code: "TASKER_WORKFLOW_INVALID" } },
      { operation: "validation_failed", key: null },
      { registry: "handler", operation: "unregistered", key, facts, correlationId: "c-2" },
    ])
  })
})
