import { describe, expect, test } from "vitest"
import { isTaskerError } from "../../core/error.ts"
import { parseWorkflow } from "./parse-workflow.ts"

const handlers = {
  "shop.price_cart": () => 1,
  "shop.find_coupon": () => 1,
  "shop.charge_card": () => 1,
  send_receipt: () => 1,
  "other.file": () => 1,
}

function problemsOf(text: string): unknown {
  try {
    parseWorkflow(text, { file: "order.yaml", handlers })
  } catch (error) {
    if (isTaskerError(error, "TASKER_WORKFLOW_FILE_INVALID")) return error.details["problems"]
    throw error
  }
  throw new Error("expected the file to be refused")
}

const HEAD = "namespace: shop\nname: process_order\nversion: 1.2.0\n"
const STEPS = "steps:\n  - name: price_cart\n"
const TWO = `${STEPS}  - name: charge_card\n    depends_on: [price_cart]\n`
const NAME =
  'a name of 1 to 63 lower-case letters, digits and "_" that starts with a letter and is not "constructor" or "prototype"'

/** What is wrong, a file with `§` before the place that must be named, the path, the message, and the hint. */
const MISTAKES: readonly (readonly [string, string, string, string, string?])[] = [
  // Keys
  ["an unknown key", `${HEAD}§prioriti: 1\n${STEPS}`, "prioriti", 'unknown key "prioriti"', 'did you mean "priority"?'],
  [
    "a key of the old Tasker",
    `${HEAD}steps:\n  - name: price_cart\n    §default_retry_limit: 3\n`,
    "steps[0].default_retry_limit",
    'unknown key "default_retry_limit" in a step',
    'did you mean "max_attempts"?',
  ],
  [
    "a key in camelCase",
    `${HEAD}steps:\n  - { name: price_cart, §timeoutMs: 3 }\n`,
    "steps[0].timeoutMs",
    'unknown key "timeoutMs" in a step',
    'did you mean "timeout_ms"?',
  ],
  [
    "an unknown key of a backoff",
    `${HEAD}backoff: { §base: 5 }\n${STEPS}`,
    "backoff.base",
    'unknown key "base" in a backoff',
    'did you mean "base_ms"?',
  ],
  [
    "a key far from any other",
    `${HEAD}backoff: { §zzzzzzz: 5 }\n${STEPS}`,
    "backoff.zzzzzzz",
    'unknown key "zzzzzzz" in a backoff',
    "known keys: base_ms, cap_ms, factor, jitter, delays_ms",
  ],
  [
    "a key that every object has",
    `${HEAD}§constructor: 5\n${STEPS}`,
    "constructor",
    'unknown key "constructor"',
    expect.stringMatching(/^known keys: namespace, name/) as string,
  ],
  [
    "__proto__",
    `${HEAD}steps:\n  - name: price_cart\n    config: { a: { §__proto__: 1 } }\n`,
    "steps[0].config.a.__proto__",
    'the key "__proto__" is not allowed',
  ],
  [
    "a key given twice",
    `${HEAD}queue: a\n§queue: b\n${STEPS}`,
    "queue",
    'key "queue" is given twice, first on line 4',
    "remove one of them",
  ],
  [
    "a key given twice deep in a config",
    `${HEAD}steps:\n  - name: price_cart\n    config: { a: 1, §a: 2 }\n`,
    "steps[0].config.a",
    'key "a" is given twice, first on line 6',
    "remove one of them",
  ],
  [
    "a merge key",
    `${HEAD}steps:\n  - &a { name: price_cart }\n  - { §<<: *a, name: find_coupon }\n`,
    'steps[1]["<<"]',
    'merge keys ("<<") are no part of YAML 1.2',
    "write the keys out, or name the whole value by an alias",
  ],
  [
    "a key that is a list",
    `${HEAD}steps:\n  - name: price_cart\n    config:\n      ? §[a]\n      : 1\n`,
    "steps[0].config",
    "expected a key to be text, got a list or a map",
  ],
  // Values
  [
    "a bad namespace",
    `namespace: §MyShop\nname: process_order\nversion: 1.2.0\nsteps: [{ name: a, handler: shop.price_cart }]`,
    "namespace",
    `expected namespace to be ${NAME}, got "MyShop"`,
    'did you mean "my_shop"?',
  ],
  [
    "a version with two numbers",
    `name: process_order\nversion: §1.2\nnamespace: shop\n${STEPS}`,
    "version",
    'expected version to be a semantic version without build metadata, such as "1.2.0", got 1.2',
    'write all three numbers, such as "1.2.0"',
  ],
  [
    "a version with a v",
    `name: process_order\nnamespace: shop\nversion: §v1.2.0\n${STEPS}`,
    "version",
    'expected version to be a semantic version without build metadata, such as "1.2.0", got "v1.2.0"',
  ],
  [
    "a number in quotes",
    `${HEAD}max_attempts: §"3"\n${STEPS}`,
    "max_attempts",
    'expected max_attempts to be an integer from 1 to 100, got "3"',
    "remove the quotes",
  ],
  [
    "a number out of range",
    `${HEAD}priority: §5\n${STEPS}`,
    "priority",
    "expected priority to be an integer from 1 to 4, got 5",
  ],
  [
    "no number",
    `${HEAD}timeout_ms: §.nan\n${STEPS}`,
    "timeout_ms",
    "expected timeout_ms to be an integer from 1 to 2147483647, got NaN",
  ],
  [
    "a duration with a unit",
    `${HEAD}timeout_ms: §1.5s\n${STEPS}`,
    "timeout_ms",
    'expected timeout_ms to be an integer from 1 to 2147483647, got "1.5s"',
    "write milliseconds: 1500",
  ],
  [
    "yes for true",
    `${HEAD}steps:\n  - name: price_cart\n    skippable: §yes\n`,
    "steps[0].skippable",
    'expected skippable to be true or false, got "yes"',
    "write true",
  ],
  ["a value that is not there", `${HEAD}queue:§\n${STEPS}`, "queue", `expected queue to be ${NAME}, got null`],
  [
    "a description that is a list",
    `${HEAD}description: §[a]\n${STEPS}`,
    "description",
    "expected description to be text of at most 10000 characters without \\u0000, got a list of 1",
  ],
  ["a backoff that is a number", `${HEAD}backoff: §5\n${STEPS}`, "backoff", "expected backoff to be a map, got 5"],
  [
    "a base above the cap",
    `${HEAD}backoff:\n  cap_ms: 5\n  base_ms: §50\n${STEPS}`,
    "backoff.base_ms",
    "expected base_ms to be at most cap_ms, got 50 and 5",
  ],
  [
    "a list of delays beside a factor",
    `${HEAD}backoff: { delays_ms: [1], factor: §2 }\n${STEPS}`,
    "backoff.factor",
    "factor has no meaning beside delays_ms",
    "remove factor or delays_ms",
  ],
  [
    "a delay that is text",
    `${HEAD}backoff: { delays_ms: [1, §2s] }\n${STEPS}`,
    "backoff.delays_ms[1]",
    'expected each of delays_ms to be an integer from 0 to 2147483647, got "2s"',
    "write milliseconds: 2000",
  ],
  ["an input that is text", `${HEAD}input: §text\n${STEPS}`, "input", 'expected input to be a JSON Schema, got "text"'],
  [
    "a misspelt keyword of the input",
    `${HEAD}input:\n  properties:\n    max_size: { §tpye: string }\n${STEPS}`,
    "input.properties.max_size.tpye",
    'unknown keyword "tpye"',
    'did you mean "type"?',
  ],
  [
    "a wrong type in the input",
    `${HEAD}input: { properties: { depends_on: { type: §text } } }\n${STEPS}`,
    "input.properties.depends_on.type",
    '"type" must be one of "array", "boolean", "integer", "null", "number", "object", "string", got "text"',
  ],
  // Steps
  ["no steps", `§${HEAD}`, "steps", "expected steps to be a list, got nothing"],
  ["steps by name", `${HEAD}steps:\n  §price_cart: {}\n`, "steps", "expected steps to be a list, got an object"],
  [
    "a step that is text",
    `${HEAD}steps: [§price_cart]\n`,
    "steps[0]",
    'expected each of steps to be a map, got "price_cart"',
  ],
  [
    "a step without a name",
    `${HEAD}steps:\n  - §handler: shop.price_cart\n`,
    "steps[0].name",
    `expected name to be ${NAME}, got nothing`,
  ],
  [
    "a step declared twice",
    `${HEAD}${STEPS}  - name: §price_cart\n`,
    "steps[1].name",
    'step "price_cart" is declared twice',
    "rename one of them",
  ],
  [
    "an unknown dependency",
    `${HEAD}${STEPS}  - name: charge_card\n    depends_on:\n      - §price_crat\n`,
    "steps[1].depends_on[0]",
    'step "charge_card" depends on "price_crat", which this workflow does not declare',
    'did you mean "price_cart"?',
  ],
  [
    "a dependency named twice",
    `${HEAD}${STEPS}  - name: charge_card\n    depends_on: [price_cart, §price_cart]\n`,
    "steps[1].depends_on[1]",
    'step "charge_card" names its dependency "price_cart" twice',
  ],
  [
    "depends_on as text",
    `${HEAD}${STEPS}  - name: charge_card\n    depends_on: §price_cart\n`,
    "steps[1].depends_on",
    'expected depends_on to be a list of step names, got "price_cart"',
  ],
  [
    "a cycle",
    `${HEAD}steps:\n  - { name: price_cart, depends_on: [§charge_card] }\n  - { name: charge_card, depends_on: [find_coupon] }\n  - { name: find_coupon, depends_on: [price_cart] }\n`,
    "steps[0].depends_on[0]",
    "dependency cycle: price_cart -> charge_card -> find_coupon -> price_cart",
    "remove one of these dependencies",
  ],
  // Handlers
  [
    "a missing handler",
    `${HEAD}steps:\n  - name: price_cart\n    handler: §shop.prise_cart\n`,
    "steps[0].handler",
    'step "price_cart" has no handler: none was given for "shop.prise_cart"',
    'did you mean "shop.price_cart"?',
  ],
  [
    "a missing handler like no other",
    `${HEAD}steps:\n  - §name: zzzzzzzzzzzzzzzzzzzzzzzz\n`,
    "steps[0].handler",
    'step "zzzzzzzzzzzzzzzzzzzzzzzz" has no handler: none was given for "shop.zzzzzzzzzzzzzzzzzzzzzzzz"',
    "handlers given: shop.price_cart, shop.find_coupon, shop.charge_card, send_receipt, other.file",
  ],
  [
    "a handler that every object has",
    `${HEAD}steps:\n  - name: price_cart\n    handler: §to_string\n`,
    "steps[0].handler",
    'step "price_cart" has no handler: none was given for "to_string"',
    expect.any(String) as string,
  ],
  [
    "a handler that is a number",
    `${HEAD}steps:\n  - name: price_cart\n    handler: §5\n`,
    "steps[0].handler",
    'expected handler to be one to four names joined by ".", such as "shop.charge_card", got 5',
  ],
  [
    "a handler that is no name",
    `${HEAD}steps:\n  - name: price_cart\n    handler: §Shop::PriceCart\n`,
    "steps[0].handler",
    'expected handler to be one to four names joined by ".", such as "shop.charge_card", got "Shop::PriceCart"',
  ],
  // Environments
  [
    "environments as a list",
    `${HEAD}${STEPS}environments: §[production]\n`,
    "environments",
    "expected environments to be a map from name to environment, got a list of 1",
  ],
  [
    "an environment that is nothing",
    `${HEAD}${STEPS}environments: { production: §~ }\n`,
    "environments.production",
    'expected environment "production" to be a map, got null',
  ],
  [
    "a bad name of an environment",
    `${HEAD}${STEPS}environments: { §Prod: {} }\n`,
    "environments.Prod",
    `expected an environment to be called ${NAME}, got "Prod"`,
  ],
  [
    "another version in an environment",
    `${HEAD}${STEPS}environments: { production: { §version: 2.0.0 } }\n`,
    "environments.production.version",
    'unknown key "version" in an environment',
    '"version" is the same in every environment',
  ],
  [
    "an override of an unknown step",
    `${HEAD}${STEPS}environments:\n  production:\n    steps:\n      - name: §price_crat\n`,
    "environments.production.steps[0].name",
    'this workflow has no step "price_crat" to override',
    'did you mean "price_cart"?',
  ],
  [
    "a bad value for an unknown step",
    `${HEAD}${STEPS}environments: { p: { steps: [{ name: price_cart, priority: §9 }] } }\n`,
    "environments.p.steps[0].priority",
    "expected priority to be an integer from 1 to 4, got 9",
  ],
  [
    "an override without a name",
    `${HEAD}${STEPS}environments: { p: { steps: [§{ queue: a }] } }\n`,
    "environments.p.steps[0].name",
    "expected name to be the name of a step, got nothing",
  ],
  [
    "an override that is text",
    `${HEAD}${STEPS}environments: { p: { steps: [§price_cart] } }\n`,
    "environments.p.steps[0]",
    'expected each of steps to be a map, got "price_cart"',
  ],
  [
    "overrides that are no list",
    `${HEAD}${STEPS}environments: { p: { steps: §{} } }\n`,
    "environments.p.steps",
    "expected steps to be a list, got an object",
  ],
  [
    "a step overridden twice",
    `${HEAD}${STEPS}environments: { p: { steps: [{ name: price_cart }, { name: §price_cart }] } }\n`,
    "environments.p.steps[1].name",
    'step "price_cart" is overridden twice',
    "put both into one",
  ],
  [
    "a bad value in an override",
    `${HEAD}max_attempts: 3\n${STEPS}environments:\n  p:\n    max_attempts: §0\n`,
    "environments.p.max_attempts",
    "expected max_attempts to be an integer from 1 to 100, got 0",
  ],
  [
    "a cycle that an override makes",
    `${HEAD}${TWO}environments:\n  p:\n    steps:\n      - { name: price_cart, depends_on: [§charge_card] }\n`,
    "environments.p.steps[0].depends_on[0]",
    "dependency cycle: price_cart -> charge_card -> price_cart",
    "remove one of these dependencies",
  ],
  [
    "a base that an override puts above the cap",
    `${HEAD}backoff: { cap_ms: 100, base_ms: 1 }\n${STEPS}environments: { p: { backoff: { base_ms: §500 } } }\n`,
    "environments.p.backoff.base_ms",
    "expected base_ms to be at most cap_ms, got 500 and 100",
  ],
  [
    "a bad schema in an override",
    `${HEAD}${STEPS}environments: { p: { input: { §tpye: object } } }\n`,
    "environments.p.input.tpye",
    'unknown keyword "tpye"',
    'did you mean "type"?',
  ],
  // YAML
  ["an empty file", "§", "", "expected a workflow file to be a map, got nothing"],
  ["a comment alone", "§# nothing yet\n", "", "expected a workflow file to be a map, got nothing"],
  ["a list", "§- name: x\n", "", "expected a workflow file to be a map, got a list of 1"],
  ["text", "§hello", "", 'expected a workflow file to be a map, got "hello"'],
  ["a tab that indents", `${HEAD}steps:\n§\t- name: price_cart\n`, "", "a tab cannot indent YAML", "indent by spaces"],
  [
    "a list that is not closed",
    `${HEAD}steps: [{ name: price_cart }§`,
    "",
    "flow sequence in block collection must be sufficiently indented and end with a ]",
  ],
  [
    "two documents",
    `${HEAD}${STEPS}§---\nname: y\n`,
    "",
    "expected one YAML document in the file, got more",
    "give each workflow its own file",
  ],
  ["an unknown tag", `${HEAD}queue: §!env QUEUE\n${STEPS}`, "", "unknown tag: !env", "remove the tag"],
  [
    "another YAML",
    `§%YAML 1.1\n---\n${HEAD}${STEPS}`,
    "",
    "expected YAML 1.2, got YAML 1.1",
    "remove the %YAML directive",
  ],
  [
    "an unknown alias",
    `${HEAD}queue: §*fast\n${STEPS}`,
    "queue",
    'unknown alias "*fast"',
    'write "&fast" before the value that it stands for',
  ],
  [
    "an alias inside itself",
    `${HEAD}steps:\n  - name: price_cart\n    config: &c { again: §*c }\n`,
    "steps[0].config.again",
    'alias "*c" stands inside the value that it stands for',
  ],
]

describe("each mistake is found at its line and column", () => {
  test.each(MISTAKES)("%s", (_, marked = "", path, message, hint) => {
    const before = marked.slice(0, marked.indexOf("§"))
    const line = before.split("\n").length
    const column = before.length - before.lastIndexOf("\n")
    const problem = { file: "order.yaml", line, column, path, message }
    expect(problemsOf(marked.replace("§", ""))).toEqual([hint === undefined ? problem : { ...problem, hint }])
  })
})
