import fc from "fast-check"
import { type } from "arktype"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { buildDefinition, buildWorkflow } from "./build-workflow.ts"
import { isTaskerError } from "./error.ts"
import type { Problem } from "./problem.ts"
import type { WorkflowSource } from "./workflow-source.ts"

const handler = (): number => 1

/** A workflow without faults, or with those of `changes`. JavaScript users may pass anything. */
function source(changes: Readonly<Record<string, unknown>> = {}): WorkflowSource {
  return { name: "process_order", version: "1.0.0", steps: [], ...changes }
}

function withStep(step: Readonly<Record<string, unknown>>): WorkflowSource {
  return source({ steps: [{ name: "price", handler, ...step }] })
}

function problemsOf(work: () => unknown): readonly Problem[] {
  try {
    work()
  } catch (error) {
    if (isTaskerError(error, "TASKER_WORKFLOW_INVALID")) return error.details["problems"] as readonly Problem[]
    throw error
  }
  return []
}

function said(broken: unknown): readonly string[] {
  return problemsOf(() => buildWorkflow(broken as WorkflowSource)).map(
    ({ path, message, hint }) => `${path}: ${message}${hint === undefined ? "" : `; ${hint}`}`,
  )
}

describe(buildWorkflow, () => {
  test("fills in the defaults", () => {
    const workflow = buildWorkflow(withStep({ config: { key: "secret" } }))

    expect(workflow).toMatchObject({ namespace: "default", name: "process_order", version: "1.0.0", inputSchema: null })
    expect(workflow.definition).toEqual({
      namespace: "default",
      name: "process_order",
      version: "1.0.0",
      description: null,
      priority: 3,
      inputSchema: null,
      steps: [
        {
          name: "price",
          dependsOn: [],
          handlerName: "default.price",
          queue: "default",
          priority: null,
          maxAttempts: 3,
          backoff: { baseMs: 1_000, capMs: 30_000, factor: 2, jitter: 0.1 },
          timeoutMs: 30_000,
          skippable: false,
          transactional: false,
        },
      ],
    })
    expect(workflow.steps).toEqual([{ spec: workflow.definition.steps[0], handler, config: { key: "secret" } }])
  })

  test("a step takes from its workflow what it does not say itself", () => {
    const shared = {
      namespace: "shop",
      queue: "slow",
      priority: 1,
      maxAttempts: 5,
      timeoutMs: 10,
      backoff: { delaysMs: [7] },
    }
    const own = { queue: "fast", priority: 2, maxAttempts: 1, timeoutMs: 20, backoff: { baseMs: 5, jitter: 0 } }
    const steps = [
      { name: "first", handler },
      { name: "second", handler, skippable: true, transactional: true, ...own },
    ]
    const { definition } = buildWorkflow(source({ ...shared, description: "Orders.", steps }))

    expect(definition).toMatchObject({ namespace: "shop", priority: 1, description: "Orders." })
    expect(definition.steps).toMatchObject([
      { queue: "slow", priority: null, maxAttempts: 5, timeoutMs: 10, backoff: { delaysMs: [7], jitter: 0.1 } },
      {
        ...own,
        backoff: { baseMs: 5, capMs: 30_000, factor: 2, jitter: 0 },
        handlerName: "shop.second",
        skippable: true,
        transactional: true,
      },
    ])
  })

  test("the queue is that of the namespace when nobody names one", () => {
    expect(buildWorkflow({ ...withStep({}), namespace: "shop" }).definition.steps[0]?.queue).toBe("shop")
  })

  test("an option that is undefined is not given", () => {
    const undefinedOptions = { queue: undefined, backoff: undefined, dependsOn: undefined, handler, config: undefined }
    const listed = withStep({ ...undefinedOptions, backoff: { delaysMs: undefined, baseMs: 5 } })

    expect(buildWorkflow(withStep(undefinedOptions)).definition).toEqual(buildWorkflow(withStep({})).definition)
    expect(buildWorkflow(listed).definition.steps[0]?.backoff).toMatchObject({ baseMs: 5 })
  })

  test("a workflow without steps is one", () => {
    expect(buildWorkflow(source())).toMatchObject({ steps: [], definition: { steps: [] } })
  })

  test("steps are sorted, and keep their handlers and config", () => {
    const steps = [
      { name: "ship", dependsOn: ["charge", "price"], handler: () => "ship", config: 3 },
      { name: "charge", dependsOn: ["price"], handler: () => "charge", config: 2 },
      { name: "price", handler: () => "price", config: 1 },
    ]
    const workflow = buildWorkflow(source({ steps }))

    expect(workflow.definition.steps.map(({ name }) => name)).toEqual(["price", "charge", "ship"])
    expect(workflow.steps.map(({ spec, config }) => [spec.name, config])).toEqual([
      ["price", 1],
      ["charge", 2],
      ["ship", 3],
    ])
    expect(workflow.steps.map((step) => (step.handler as () => unknown)())).toEqual(["price", "charge", "ship"])
  })

  test("what it makes is frozen, and does not change with the source", () => {
    const dependsOn = ["a"]
    const input = { type: "object" }
    const steps = [
      { name: "a", handler },
      { name: "b", handler, dependsOn, backoff: { delaysMs: [1] } },
    ]
    const workflow = buildWorkflow(source({ input, steps }))
    dependsOn.push("c")
    input.type = "string"
    steps.pop()

    expect(workflow.definition.steps.map((step) => step.dependsOn)).toEqual([[], ["a"]])
    expect(workflow.definition.inputSchema).toEqual({ type: "object" })
    for (const part of [
      workflow,
      workflow.definition,
      workflow.steps,
      ...workflow.steps,
      ...workflow.definition.steps,
    ]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })

  describe("the input schema", () => {
    test("a JSON Schema is stored and kept", () => {
      const input = { type: "object" }

      expect(buildWorkflow(source({ input }))).toMatchObject({ inputSchema: input, definition: { inputSchema: input } })
    })

    test("a Standard Schema is kept, and stored as what its library makes of it", () => {
      const input = z.object({ cartId: z.string() })
      const workflow = buildWorkflow(source({ input }))

      expect(workflow.inputSchema).toBe(input)
      expect(workflow.definition.inputSchema).toMatchObject({ properties: { cartId: { type: "string" } } })
    })

    test("a Standard Schema may be a function", () => {
      expect(buildWorkflow(source({ input: type({ cartId: "string" }) })).definition.inputSchema).toMatchObject({
        properties: { cartId: { type: "string" } },
      })
    })

    test("what its library cannot say as JSON Schema is not stored", () => {
      const plain = { "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) } }

      expect(buildWorkflow(source({ input: z.object({ at: z.date() }) })).definition.inputSchema).toBeNull()
      expect(buildWorkflow(source({ input: plain })).definition.inputSchema).toBeNull()
    })

    test.each([
      ["object", 'input: expected input to be a Standard Schema or a JSON Schema object, got "object"'],
      [null, "input: expected input to be a Standard Schema or a JSON Schema object, got null"],
      [true, "input: expected input to be a Standard Schema or a JSON Schema object, got true"],
      [{ type: () => 1 }, "input: expected input to be JSON, got a function at input.type"],
      [{ "~standard": {}, x: 1n }, "input: expected input to be JSON, got a bigint at input.x; use a string"],
    ])("%o is refused", (input: unknown, message) => {
      expect(said(source({ input }))).toEqual([message])
    })

    test("an error of the schema itself is not swallowed", () => {
      const input = {
        get type(): string {
          throw new RangeError("mine")
        },
      }

      expect(() => buildWorkflow(source({ input }))).toThrow(RangeError)
    })
  })

  test.each([
    [null, ": expected workflow to be an object, got null"],
    [[], ": expected workflow to be an object, got an empty list"],
  ])("%j is no workflow", (broken, message) => {
    expect(said(broken)).toEqual([`workflow${message}`])
    expect(() => buildWorkflow(broken as never)).toThrow(/^the workflow breaks a rule:/)
  })

  const nameRule =
    'a name of 1 to 63 lower-case letters, digits and "_" that starts with a letter and is not "constructor" or "prototype"'
  const versionRule = 'a semantic version without build metadata, such as "1.2.0"'

  test.each([
    [{ name: undefined }, `name: expected name to be ${nameRule}, got nothing`],
    [
      { name: "processOrder" },
      `name: expected name to be ${nameRule}, got "processOrder"; did you mean "process_order"?`,
    ],
    [{ name: "constructor" }, `name: expected name to be ${nameRule}, got "constructor"`],
    [{ name: 7 }, `name: expected name to be ${nameRule}, got 7`],
    [
      { namespace: "My Shop" },
      `namespace: expected namespace to be ${nameRule}, got "My Shop"; did you mean "my_shop"?`,
    ],
    [{ version: undefined }, `version: expected version to be ${versionRule}, got nothing`],
    [{ version: "1.0" }, `version: expected version to be ${versionRule}, got "1.0"`],
    [{ version: "1.0.0+1" }, `version: expected version to be ${versionRule}, got "1.0.0+1"`],
    [
      { description: 1 },
      "description: expected description to be text of at most 10000 characters without \\u0000, got 1",
    ],
    [
      { description: "\u0000" },
      'description: expected description to be text of at most 10000 characters without \\u0000, got "\\u0000"',
    ],
    [{ priority: 0 }, "priority: expected priority to be an integer from 1 to 4, got 0"],
    [{ maxAttempt: 1 }, 'maxAttempt: unknown option "maxAttempt"; did you mean "maxAttempts"?'],
    [{ skippable: true }, 'skippable: unknown option "skippable"'],
    [{ steps: undefined }, "steps: expected steps to be a list, got nothing"],
    [{ steps: {} }, "steps: expected steps to be a list, got an object"],
    [
      { steps: Array(10_001).fill({}) },
      "steps: expected steps to be a list of at most 10000 steps, got a list of 10001",
    ],
    [{ steps: ["price"] }, 'steps[0]: expected each of steps to be an object, got "price"'],
  ])("of a workflow, %j is refused", (changes: Readonly<Record<string, unknown>>, message) => {
    expect(said(source(changes))).toContain(message)
  })

  const backoff = "steps[0].backoff"
  test.each([
    [{ name: "Price" }, `steps[0].name: expected name to be ${nameRule}, got "Price"; did you mean "price"?`],
    [{ maxAttempts: 0 }, "steps[0].maxAttempts: expected maxAttempts to be an integer from 1 to 100, got 0"],
    [{ maxAttempts: 101 }, "steps[0].maxAttempts: expected maxAttempts to be an integer from 1 to 100, got 101"],
    [{ maxAttempts: 1.5 }, "steps[0].maxAttempts: expected maxAttempts to be an integer from 1 to 100, got 1.5"],
    [{ maxAttempts: "3" }, 'steps[0].maxAttempts: expected maxAttempts to be an integer from 1 to 100, got "3"'],
    [{ maxAttempts: null }, "steps[0].maxAttempts: expected maxAttempts to be an integer from 1 to 100, got null"],
    [
      { timeoutMs: 2 ** 31 },
      "steps[0].timeoutMs: expected timeoutMs to be an integer from 1 to 2147483647, got 2147483648",
    ],
    [
      { timeoutMs: Number.NaN },
      "steps[0].timeoutMs: expected timeoutMs to be an integer from 1 to 2147483647, got NaN",
    ],
    [{ priority: 5 }, "steps[0].priority: expected priority to be an integer from 1 to 4, got 5"],
    [{ queue: "a.b" }, `steps[0].queue: expected queue to be ${nameRule}, got "a.b"; did you mean "a_b"?`],
    [{ skippable: "yes" }, 'steps[0].skippable: expected skippable to be true or false, got "yes"'],
    [{ transactional: 1 }, "steps[0].transactional: expected transactional to be true or false, got 1"],
    [{ dependson: [] }, 'steps[0].dependson: unknown option "dependson"; did you mean "dependsOn"?'],
    [{ dependsOn: "a" }, 'steps[0].dependsOn: expected dependsOn to be a list of step names, got "a"'],
    [{ dependsOn: [1] }, "steps[0].dependsOn[0]: expected each of dependsOn to be a step name, got 1"],
    [
      { dependsOn: ["prise"] },
      'steps[0].dependsOn[0]: step "price" depends on "prise", which this workflow does not declare; did you mean "price"?',
    ],
    [{ backoff: 5 }, `${backoff}: expected backoff to be an object, got 5`],
    [{ backoff: { baseMS: 5 } }, `${backoff}.baseMS: unknown option "baseMS"; did you mean "baseMs"?`],
    [{ backoff: { baseMs: -1 } }, `${backoff}.baseMs: expected baseMs to be an integer from 0 to 2147483647, got -1`],
    [{ backoff: { factor: 0.5 } }, `${backoff}.factor: expected factor to be a number from 1 to 100, got 0.5`],
    [{ backoff: { jitter: 2 } }, `${backoff}.jitter: expected jitter to be a number from 0 to 1, got 2`],
    [
      { backoff: { baseMs: 60_000 } },
      `${backoff}.baseMs: expected baseMs to be at most capMs, got 60000 and 30000; set capMs too`,
    ],
    [{ backoff: { baseMs: 2, capMs: 1 } }, `${backoff}.baseMs: expected baseMs to be at most capMs, got 2 and 1`],
    [
      { backoff: { delaysMs: [] } },
      `${backoff}.delaysMs: expected delaysMs to be a list of 1 to 100 delays, got an empty list`,
    ],
    [{ backoff: { delaysMs: 5 } }, `${backoff}.delaysMs: expected delaysMs to be a list of 1 to 100 delays, got 5`],
    [
      { backoff: { delaysMs: Array(101).fill(1) } },
      `${backoff}.delaysMs: expected delaysMs to be a list of 1 to 100 delays, got a list of 101`,
    ],
    [
      { backoff: { delaysMs: [1, "2"] } },
      `${backoff}.delaysMs[1]: expected each of delaysMs to be an integer from 0 to 2147483647, got "2"`,
    ],
    [
      { backoff: { delaysMs: [1, undefined] } },
      `${backoff}.delaysMs[1]: expected each of delaysMs to be an integer from 0 to 2147483647, got nothing`,
    ],
    [
      { backoff: { delaysMs: [1], jitter: -1 } },
      `${backoff}.jitter: expected jitter to be a number from 0 to 1, got -1`,
    ],
    [
      { backoff: { delaysMs: [1], factor: 2 } },
      `${backoff}.factor: factor has no meaning beside delaysMs; remove factor or delaysMs`,
    ],
    [{ backoff: { delaysMs: [1], typo: 2 } }, `${backoff}.typo: unknown option "typo"`],
    [{ handler: undefined }, 'steps[0].handler: step "price" has no handler: none was given for "default.price"'],
    [{ handler: 7 }, 'steps[0].handler: expected the handler of step "price" to be a function, got 7'],
    [
      { handler: "Shop.price" },
      'steps[0].handler: expected handler to be one to four names joined by ".", such as "shop.charge_card", got "Shop.price"',
    ],
  ])("of a step, %j is refused", (step: Readonly<Record<string, unknown>>, message) => {
    expect(said(withStep(step))).toContain(message)
  })

  test("a cap below the default base is obeyed, so it is accepted", () => {
    expect(said(withStep({ backoff: { capMs: 500 } }))).toEqual([])
  })

  test("a step without a name hides no problem of the others", () => {
    const steps = [{ handler }, { name: "b", handler, dependsOn: ["a", 1] }, { name: "c", handler, dependsOn: ["d"] }]

    expect(said(source({ steps }))).toEqual([
      `steps[0].name: expected name to be ${nameRule}, got nothing`,
      "steps[1].dependsOn[1]: expected each of dependsOn to be a step name, got 1",
      'steps[2].dependsOn[0]: step "c" depends on "d", which this workflow does not declare',
    ])
  })

  test("all problems are reported at once, each with its path, in one error", () => {
    const broken = source({
      version: "1",
      steps: [
        { name: "a", handler, dependsOn: ["b"] },
        { name: "b", dependsOn: ["a"], maxAttempts: 0 },
      ],
    })

    expect(() => buildWorkflow(broken)).toThrow(
      expect.objectContaining({
        code: "TASKER_WORKFLOW_INVALID",
        message: [
          'workflow "process_order" breaks 4 rules:',
          `  version: expected version to be ${versionRule}, got "1"`,
          "  steps[1].maxAttempts: expected maxAttempts to be an integer from 1 to 100, got 0",
          "  steps[0].dependsOn[0]: dependency cycle: a -> b -> a (remove one of these dependencies)",
          '  steps[1].handler: step "b" has no handler: none was given for "default.b"',
        ].join("\n"),
      }),
    )
    expect(problemsOf(() => buildWorkflow(broken))[1]).toMatchObject({ segments: ["steps", 1, "maxAttempts"] })
  })

  test("problems that the caller found come first, and alone are enough", () => {
    const mine: Problem = { path: "x", segments: ["x"], message: "is wrong" }

    expect(problemsOf(() => buildWorkflow(source({ version: "1" }), { problems: [mine] }))).toHaveLength(2)
    expect(problemsOf(() => buildWorkflow(source(), { problems: [mine] }))).toEqual([mine])
  })

  describe("with handlers that are looked up", () => {
    const handlers = { get: (name: string) => (name === "shop.charge" ? handler : undefined), names: ["shop.charge"] }

    test("a step names its handler, or is found by namespace and name", () => {
      const steps = [{ name: "pay", handler: "shop.charge" }, { name: "charge" }]
      const workflow = buildWorkflow(source({ namespace: "shop", steps }), { handlers })

      expect(workflow.steps.map((step) => [step.spec.handlerName, step.handler])).toEqual([
        ["shop.charge", handler],
        ["shop.charge", handler],
      ])
    })

    test("one that is missing is reported with the name that was likely meant", () => {
      const broken = source({ steps: [{ name: "charge", handler: "shop.charges" }] })

      expect(problemsOf(() => buildWorkflow(broken, { handlers }))).toMatchObject([
        {
          message: 'step "charge" has no handler: none was given for "shop.charges"',
          hint: 'did you mean "shop.charge"?',
        },
      ])
    })
  })

  test("whatever it is given, it returns a workflow or throws its one error", () => {
    const step = fc.record(
      {
        name: fc.oneof(fc.constantFrom("a", "b", "c"), fc.anything()),
        dependsOn: fc.oneof(fc.array(fc.constantFrom("a", "b", "c")), fc.anything()),
        backoff: fc.oneof(
          fc.record({ baseMs: fc.nat(), delaysMs: fc.array(fc.nat()) }, { requiredKeys: [] }),
          fc.anything(),
        ),
        handler: fc.oneof(fc.constant(handler), fc.anything()),
        maxAttempts: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.anything()),
      },
      { requiredKeys: [] },
    )
    const workflow = fc.record({
      name: fc.oneof(fc.constant("a"), fc.anything()),
      version: fc.oneof(fc.constant("1.0.0"), fc.anything()),
      steps: fc.oneof(fc.array(fc.oneof(step, fc.anything())), fc.anything()),
    })
    fc.assert(
      fc.property(fc.oneof(workflow, fc.anything()), (given) => {
        for (const { path, message } of problemsOf(() => buildWorkflow(given as WorkflowSource))) {
          expect(typeof path).toBe("string")
          expect(message.length).toBeLessThan(400)
        }
      }),
      { numRuns: 1_000 },
    )
  })
})

describe(buildDefinition, () => {
  test("makes the same definition without handlers", () => {
    const { definition } = buildWorkflow(withStep({}))

    expect(buildDefinition(source({ steps: [{ name: "price" }] }))).toEqual(definition)
  })

  test("reports all but handlers", () => {
    expect(problemsOf(() => buildDefinition(source({ version: "1", steps: [{ name: "price" }] })))).toMatchObject([
      { path: "version" },
    ])
  })
})
