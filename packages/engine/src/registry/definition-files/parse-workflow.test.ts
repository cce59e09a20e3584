import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { defineWorkflow } from "../../core/define-workflow.ts"
import { isTaskerError, type TaskerError } from "../../core/error.ts"
import type { FileProblem } from "./file-problem.ts"
import { type HandlersByName, parseWorkflow } from "./parse-workflow.ts"

const priceCart = () => ({ cents: 100 })
const findCoupon = () => ({ percent: 5 })
const chargeCard = () => ({ id: "ch_1" })
const sendReceipt = () => null
const handlers: HandlersByName = {
  "shop.price_cart": priceCart,
  "shop.find_coupon": findCoupon,
  "shop.charge_card": chargeCard,
  send_receipt: sendReceipt,
  "other.file": () => 1,
}

const TWIN = `# yaml-language-server: $schema=../workflow.schema.json
namespace: shop
name: process_order
version: 1.2.0
description: Prices a cart, charges the card, and sends a receipt.
priority: 2
backoff: { base_ms: 50, factor: 3 }

input:
  type: object
  required: [cartId]
  properties:
    cartId: { type: string }
    maxAttempts: { type: integer, default: 1 }

steps:
  - name: charge_card
    depends_on: [price_cart, find_coupon]
    max_attempts: 5
    backoff: { delays_ms: [10, 20], jitter: 0 }
    transactional: true
    config: { max_attempts: 7, nested: { keepCase: [1, null, yes] } }
  - { name: price_cart, handler: shop.price_cart, timeout_ms: 5000, queue: slow, priority: 1 }
  - { name: find_coupon, skippable: true }
  - { name: send_receipt, depends_on: [charge_card] }

environments:
  test:
    queue: test_queue
  production:
    description: For real.
    max_attempts: 4
    backoff: { cap_ms: 60000 }
    input: { type: object }
    steps:
      - name: charge_card
        backoff: { base_ms: 200 }
        config: { nested: { keepCase: [2] }, key: k }
        depends_on: [price_cart]
      - { name: find_coupon, handler: other.file, skippable: false }
`

function failure(text: string, environment?: string, given: HandlersByName = handlers): TaskerError {
  try {
    parseWorkflow(text, { file: "order.yaml", handlers: given, environment })
  } catch (error) {
    if (isTaskerError(error, "TASKER_WORKFLOW_FILE_INVALID")) return error
    throw error
  }
  throw new Error("expected the file to be refused")
}

function problemsOf(text: string, environment?: string, given?: HandlersByName): readonly FileProblem[] {
  return failure(text, environment, given).details["problems"] as readonly FileProblem[]
}

const stepOf = (environment: string | undefined, name: string) => {
  const workflow = parseWorkflow(TWIN, { file: "order.yaml", handlers, environment })
  return workflow.steps.find((step) => step.spec.name === name)
}

describe("a file", () => {
  test("means the same as the builder", () => {
    const built = defineWorkflow({
      namespace: "shop",
      name: "process_order",
      version: "1.2.0",
      description: "Prices a cart, charges the card, and sends a receipt.",
      priority: 2,
      backoff: { baseMs: 50, factor: 3 },
      input: {
        type: "object",
        required: ["cartId"],
        properties: { cartId: { type: "string" }, maxAttempts: { type: "integer", default: 1 } },
      },
    })
      .step("price_cart", { handler: priceCart, timeoutMs: 5_000, queue: "slow", priority: 1 })
      .step("find_coupon", { handler: findCoupon, skippable: true })
      .step("charge_card", {
        dependsOn: ["price_cart", "find_coupon"],
        maxAttempts: 5,
        backoff: { delaysMs: [10, 20], jitter: 0 },
        transactional: true,
        config: { max_attempts: 7, nested: { keepCase: [1, null, "yes"] } },
        handler: chargeCard,
      })
      .step("send_receipt", { dependsOn: ["charge_card"], handler: sendReceipt })
    const parsed = parseWorkflow(TWIN, { file: "order.yaml", handlers })
    expect(parsed.definition).toEqual(built.definition)
    expect(parsed.steps).toEqual(built.steps)
    expect(parsed.inputSchema).toEqual(built.inputSchema)
  })

  test("may leave out all but name, version and steps", () => {
    const workflow = parseWorkflow("name: x\nversion: 1.0.0\nsteps: [{ name: a }]", {
      file: "x",
      handlers: { "default.a": priceCart },
    })
    expect(workflow.namespace).toBe("default")
    expect(workflow.steps[0]?.handler).toBe(priceCart)
  })

  test("may be JSON, start with a byte order mark, and use anchors", () => {
    const json = JSON.stringify({ name: "x", version: "1.0.0", steps: [{ name: "a" }] })
    const options = { file: "x", handlers: { a: priceCart, b: priceCart } }
    expect(parseWorkflow(`\uFEFF${json}`, options).name).toBe("x")
    const anchored =
      "name: x\nversion: 1.0.0\nsteps:\n  - {name: a, backoff: &slow {base_ms: 7}}\n  - {name: b, backoff: *slow}"
    expect(parseWorkflow(anchored, options).steps.map(({ spec }) => spec.backoff)).toEqual(
      Array(2).fill({ baseMs: 7, capMs: 30_000, factor: 2, jitter: 0.1 }),
    )
  })

  test("a step without a handler takes namespace.step before step", () => {
    const text = "name: x\nversion: 1.0.0\nsteps: [{ name: a }]"
    const workflow = parseWorkflow(text, { file: "x", handlers: { a: chargeCard, "default.a": priceCart } })
    expect(workflow.steps[0]?.handler).toBe(priceCart)
  })
})

describe("environments", () => {
  test("say what is different, by step name; what they do not say stays", () => {
    expect(stepOf("production", "charge_card")).toMatchObject({
      spec: { dependsOn: ["price_cart"], maxAttempts: 5, queue: "shop", transactional: true },
      config: { max_attempts: 7, nested: { keepCase: [2] }, key: "k" },
    })
    expect(stepOf("production", "find_coupon")).toMatchObject({ spec: { skippable: false, handlerName: "other.file" } })
    expect(stepOf("production", "send_receipt")?.spec).toMatchObject({ maxAttempts: 4 })
    expect(stepOf("test", "send_receipt")?.spec).toMatchObject({ maxAttempts: 3, queue: "test_queue" })
    expect(stepOf(undefined, "send_receipt")?.spec).toMatchObject({ maxAttempts: 3, queue: "shop" })
  })

  test("merge a backoff with the workflow's, and replace it when it is of the other kind", () => {
    expect(stepOf("production", "send_receipt")?.spec.backoff).toEqual({
      baseMs: 50,
      capMs: 60_000,
      factor: 3,
      jitter: 0.1,
    })
    expect(stepOf("production", "charge_card")?.spec.backoff).toEqual({
      baseMs: 200,
      capMs: 30_000,
      factor: 2,
      jitter: 0,
    })
  })

  test("replace growing delays by a list, and the reverse", () => {
    const text = (backoff: string, other: string) =>
      `name: x\nversion: 1.0.0\nbackoff: ${backoff}\nsteps: [{ name: a }]\nenvironments: { p: { backoff: ${other} } }`
    const backoffOf = (file: string) =>
      parseWorkflow(file, { file: "x", handlers: { a: priceCart }, environment: "p" }).steps[0]?.spec.backoff
    expect(backoffOf(text("{ base_ms: 5, jitter: 0 }", "{ delays_ms: [7] }"))).toEqual({ delaysMs: [7], jitter: 0 })
    expect(backoffOf(text("{ delays_ms: [7], jitter: 0 }", "{ base_ms: 5 }"))).toMatchObject({ baseMs: 5, jitter: 0 })
    expect(backoffOf(text("{ delays_ms: [7] }", "{ jitter: 1 }"))).toEqual({ delaysMs: [7], jitter: 1 })
  })

  test("name steps, and do not take the blame for their names", () => {
    const text = `${HEAD}steps:\n  - name: PriceCart\n    handler: shop.price_cart\nenvironments: { p: { steps: [{ name: PriceCart }] } }`
    expect(problemsOf(text, "p").map(({ path }) => path)).toEqual(["steps[0].name"])
  })

  test("replace the input and the description", () => {
    const { definition } = parseWorkflow(TWIN, { file: "order.yaml", handlers, environment: "production" })
    expect(definition).toMatchObject({ inputSchema: { type: "object" }, description: "For real." })
  })

  test("only the handlers of the one that is asked for must be there", () => {
    const { "other.file": _, ...some } = handlers
    expect(parseWorkflow(TWIN, { file: "order.yaml", handlers: some }).name).toBe("process_order")
    expect(problemsOf(TWIN, "production", some)).toEqual([
      expect.objectContaining({
        line: 40,
        column: 39,
        path: "environments.production.steps[1].handler",
        message: 'step "find_coupon" has no handler: none was given for "other.file"',
      }),
    ])
  })
})

const HEAD = "namespace: shop\nname: process_order\nversion: 1.2.0\n"
const STEPS = "steps:\n  - name: price_cart\n"
const NAME =
  'a name of 1 to 63 lower-case letters, digits and "_" that starts with a letter and is not "constructor" or "prototype"'

describe("all mistakes are reported at once", () => {
  const text = `namespace: shop
nam: process_order
version: 1.2
steps:
  - name: price_cart
    dependsOn: []
    timeout_ms: 5s
    config: {a: 1, a: 2}
  - {name: charge_card, depends_on: [price_crat, ship], handler: shop.chrge_card}
  - {name: ship, depends_on: [charge_card], priority: 7, handler: other.file}
environments:
  production:
    steps:
      - {name: chrge_card, max_attempts: 900}
      - {name: ship, depends_on: [nope]}
`

  test("in the order of the file, in one error that is good to read", () => {
    expect(failure(text, "prodution").message).toBe(`workflow file "order.yaml" has 14 mistakes:
  order.yaml:1:1 expected name to be ${NAME}, got nothing
  order.yaml:2:1 unknown key "nam" (did you mean "name"?)
  order.yaml:3:10 expected version to be a semantic version without build metadata, such as "1.2.0", got 1.2 (write all three numbers, such as "1.2.0")
  order.yaml:6:5 unknown key "dependsOn" in a step (did you mean "depends_on"?)
  order.yaml:7:17 expected timeout_ms to be an integer from 1 to 2147483647, got "5s" (write milliseconds: 5000)
  order.yaml:8:20 key "a" is given twice, first on line 8 (remove one of them)
  order.yaml:9:38 step "charge_card" depends on "price_crat", which this workflow does not declare (did you mean "price_cart"?)
  order.yaml:9:50 dependency cycle: charge_card -> ship -> charge_card (remove one of these dependencies)
  order.yaml:9:66 step "charge_card" has no handler: none was given for "shop.chrge_card" (did you mean "shop.charge_card"?)
  order.yaml:10:55 expected priority to be an integer from 1 to 4, got 7
  order.yaml:12:3 environment "prodution" is not declared in this file (did you mean "production"?)
  order.yaml:14:16 this workflow has no step "chrge_card" to override (did you mean "charge_card"?)
  order.yaml:14:42 expected max_attempts to be an integer from 1 to 100, got 900
  order.yaml:15:35 step "ship" depends on "nope", which this workflow does not declare`)
  })

  test("above a mistake of syntax, what is written is judged, and what is missing is not", () => {
    const broken =
      "namespace: Shop\nfoo: 1\nsteps:\n  - name: price_cart\n    depends_on: [later]\n   handler: [\npriority: 9\n"
    const problems = problemsOf(broken).map(({ line, message }) => `${line} ${message}`)
    expect(problems.slice(0, 3)).toEqual([
      `1 expected namespace to be ${NAME}, got "Shop"`,
      '2 unknown key "foo"',
      "6 sequence item without - indicator",
    ])
    expect(problems.join()).not.toContain("priority")
  })

  test("an environment that is not there is named where the file has none at all", () => {
    expect(problemsOf(`${HEAD}${STEPS}`, "production")).toEqual([
      {
        file: "order.yaml",
        line: 1,
        column: 1,
        path: "",
        message: 'environment "production" is not declared in this file',
        hint: "declare it under `environments`, or load the file without one",
      },
    ])
    expect(problemsOf(TWIN, "zzz")[0]).toMatchObject({ line: 28, column: 3, hint: "declared: test, production" })
    expect(problemsOf(TWIN, "constructor")[0]).toMatchObject({
      message: 'environment "constructor" is not declared in this file',
    })
  })

  test("only a handler of the record's own is taken, and only one of the name that the step gives", () => {
    const inherited = Object.create({ "shop.price_cart": priceCart }) as HandlersByName
    expect(problemsOf(`${HEAD}${STEPS}`, undefined, inherited)).toHaveLength(1)
    const named = `${HEAD}steps:\n  - { name: price_cart, handler: shop.other }\n`
    expect(problemsOf(named, undefined, { price_cart: priceCart })).toHaveLength(1)
  })

  test("what the user wrote stays as it is in a message about options", () => {
    const quoting = `${HEAD}${STEPS}    max_attempts: maxAttempts\n`
    expect(problemsOf(quoting)[0]?.message).toBe(
      'expected max_attempts to be an integer from 1 to 100, got "maxAttempts"',
    )
  })

  test("a handler that is no function is a mistake, whoever passed it", () => {
    // What a JavaScript user may pass.
    const given = { ...handlers, "shop.price_cart": "price_cart" } as unknown as HandlersByName
    expect(problemsOf(`${HEAD}${STEPS}`, undefined, given)).toEqual([
      expect.objectContaining({
        line: 5,
        message: 'expected the handler of step "price_cart" to be a function, got "price_cart"',
      }),
    ])
  })

  test("a message shows 50, and the details hold all", () => {
    const error = failure(`${HEAD}${STEPS}${Array.from({ length: 60 }, (_, index) => `k${index}: 1\n`).join("")}`)
    expect(error.message).toMatch(/has 60 mistakes:\n[^]*\n {2}and 10 more$/)
    expect(error.details["problems"]).toHaveLength(60)
  })
})

describe("a hostile file", () => {
  test("that unfolds to billions of values is given up", () => {
    const levels = Array.from(
      { length: 12 },
      (_, index) => `    a${index + 1}: &a${index + 1} [${Array(9).fill(`*a${index}`).join(", ")}]\n`,
    )
    const bomb = `${HEAD}steps:\n  - name: price_cart\n    config:\n    a0: &a0 [x]\n${levels.join("")}`
    expect(problemsOf(bomb).map(({ message }) => message)).toContain(
      "expected at most 100000 values, with what aliases stand for, got more",
    )
  })

  test.each([
    ["lists", "[".repeat(50_000)],
    ["maps", "{a: ".repeat(5_000)],
    ["blocks", Array.from({ length: 1_000 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")],
    ["closed lists", `a: ${"[".repeat(200)}${"]".repeat(200)}`],
  ])("that is nested without end is given up: %s", (_, text) => {
    expect(problemsOf(text).map(({ message }) => message)).toContain("expected at most 100 levels of nesting, got more")
  })

  test("that is too long is not read", () => {
    expect(problemsOf(`#${"x".repeat(1_048_576)}`)).toEqual([
      expect.objectContaining({ message: "expected a file of at most 1048576 characters, got 1048577" }),
    ])
  })

  test(
    "whatever is done to a file, it is a workflow or a list of mistakes inside the file",
    { timeout: 60_000 },
    () => {
      const cut = fc.record({
        at: fc.nat(TWIN.length),
        remove: fc.nat(30),
        insert: fc.oneof(
          fc.constantFrom(
            "\n",
            "\t",
            " ",
            "  ",
            "- ",
            ": ",
            "[",
            "]",
            "{",
            "}",
            "*a",
            "&a ",
            "#",
            '"',
            "'",
            "|",
            "!x ",
            "? ",
            "---\n",
            "~",
            "<<: ",
          ),
          fc.string({ maxLength: 5, unit: "binary" }),
        ),
      })
      fc.assert(
        fc.property(
          fc.array(cut, { minLength: 1, maxLength: 4 }),
          fc.constantFrom(undefined, "production"),
          (cuts, environment) => {
            let text = TWIN
            for (const { at, remove, insert } of cuts) text = text.slice(0, at) + insert + text.slice(at + remove)
            const lines = text.split(/\r\n|\n|\r/)
            try {
              parseWorkflow(text, { file: "order.yaml", handlers, environment })
            } catch (error) {
              if (!isTaskerError(error, "TASKER_WORKFLOW_FILE_INVALID")) throw error
              const problems = error.details["problems"] as readonly FileProblem[]
              expect(problems.length).toBeGreaterThan(0)
              for (const { line, column } of problems) {
                expect(line).toBeGreaterThanOrEqual(1)
                expect(line).toBeLessThanOrEqual(lines.length)
                expect(column).toBeGreaterThanOrEqual(1)
              }
            }
          },
        ),
        { numRuns: 200 },
      )
    },
  )
})
