import { Ajv2020 } from "ajv/dist/2020.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { isTaskerError } from "../../core/error.ts"
import { STEP_KEYS as STEP_OPTIONS, WORKFLOW_KEYS as WORKFLOW_OPTIONS } from "../../core/validate-workflow.ts"
import { ENVIRONMENT, type FileMap, fileKeyOf, optionName, WORKFLOW } from "./file-keys.ts"
import type { FileProblem } from "./file-problem.ts"
import { parseWorkflow } from "./parse-workflow.ts"
import { workflowFileSchema } from "./workflow-file-schema.ts"

const STEP = WORKFLOW.keys["steps"]!.holds!.map
const matches = new Ajv2020({ strict: false }).compile(workflowFileSchema())

/** Whether the loader takes a file, apart from what no JSON Schema can say. */
function isLoaded(file: unknown): boolean {
  try {
    // JSON is YAML.
    parseWorkflow(JSON.stringify(file), { file: "x", handlers: {} })
    return true
  } catch (error) {
    if (!isTaskerError(error, "TASKER_WORKFLOW_FILE_INVALID")) throw error
    const beyond =
      /has no handler|does not declare|declared twice|dependency cycle|to be at most cap_ms|to override|overridden twice|is declared by/
    return (error.details["problems"] as readonly FileProblem[]).every(({ message }) => beyond.test(message))
  }
}

describe("workflowFileSchema", () => {
  test("is the committed file, which editors read (`vitest -u` writes it)", async () => {
    const text = `${JSON.stringify(workflowFileSchema(), undefined, 2)}\n`
    await expect(text).toMatchFileSnapshot("../../../workflow.schema.json")
  })

  test("knows the options of the builder, by the names that they have in files", () => {
    const known = (map: FileMap) => Object.keys(map.keys).toSorted()
    expect(known(WORKFLOW)).toEqual([...WORKFLOW_OPTIONS, "environments"].map(fileKeyOf).toSorted())
    expect(known(STEP)).toEqual(STEP_OPTIONS.map(fileKeyOf).toSorted())
    for (const map of [WORKFLOW, STEP, ENVIRONMENT]) {
      for (const key of Object.keys(map.keys)) expect(fileKeyOf(optionName(key))).toBe(key)
    }
  })

  test("no key is called what another one is known as", () => {
    for (const map of [WORKFLOW, STEP, ENVIRONMENT]) {
      const aliases = Object.values(map.keys).flatMap((key) => key.aliases ?? [])
      expect(new Set(aliases).size).toBe(aliases.length)
      expect(aliases.filter((alias) => Object.hasOwn(map.keys, alias))).toEqual([])
    }
  })

  const name = fc.oneof(
    fc.constantFrom(
      "a",
      "a_1",
      "A",
      "1a",
      "a-b",
      "constructor",
      "prototype",
      "constructor_2",
      "",
      "a".repeat(63),
      "a".repeat(64),
    ),
    fc.constantFrom("shop.a", "a.b.c.d", "a.b.c.d.e", "a.constructor", "prototype.a", "a..b", ".a", "a."),
  )
  const version = fc.constantFrom(
    "1.0.0",
    "1.0",
    "v1.0.0",
    "1.0.0-a.1",
    "1.0.0-01",
    "1.0.0-0a",
    "1.0.0+b",
    "01.0.0",
    "1.0.0-",
    `1.0.${"9".repeat(95)}`,
    `1.0.${"9".repeat(96)}`,
  )
  const number = fc.oneof(
    fc.integer({ min: -2, max: 102 }),
    fc.constantFrom(0, 0.1, 1.5, 2, 99, 100, 101, 2_147_483_647, 2_147_483_648, 1e300),
  )
  const other = fc.oneof(name, version, number, fc.boolean(), fc.constant(null), fc.constant([]), fc.constant({}))
  const backoff = fc.record(
    {
      base_ms: fc.oneof(number, other),
      cap_ms: number,
      factor: number,
      jitter: number,
      delays_ms: fc.oneof(fc.array(number, { maxLength: 3 }), fc.constant(Array(101).fill(1)), other),
      base: number,
    },
    { requiredKeys: [] },
  )
  const values: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    name,
    version,
    backoff: fc.oneof(backoff, other),
    depends_on: fc.oneof(
      fc.array(fc.constantFrom("a", "b", 1, null), { maxLength: 3 }),
      other.filter((value) => typeof value !== "string"),
    ),
    // What is inside is not this schema's to say.
    config: other,
    input: fc.constantFrom({}, { type: "object" }, { type: "objct" }, { properties: [] }, null, 1, "x", []),
    events: fc.oneof(
      fc.dictionary(
        fc.oneof(
          name,
          fc.constantFrom(
            "order.shipped",
            "a.b.c.d",
            "task.made",
            "tasks.made",
            "worker.x",
            "a.task.b",
            "a.b.c.d.e",
            "A.b",
          ),
        ),
        fc.oneof(fc.constantFrom({}, { type: "object" }, { type: "objct" }, { properties: [] }), other),
        { maxKeys: 2 },
      ),
      other,
    ),
    steps: other,
    environments: fc.oneof(
      other,
      fc.dictionary(name, fc.oneof(fc.record({ queue: name, version, steps: other }, { requiredKeys: [] }), other), {
        maxKeys: 2,
      }),
    ),
  }

  /** A map with one key of ours, or one that is not, set to whatever. */
  const oddity = (map: FileMap): fc.Arbitrary<Readonly<Record<string, unknown>>> =>
    fc.constantFrom(...Object.keys(map.keys), "unknown_key", "dependsOn").chain((key) => {
      return (values[key] ?? fc.oneof(number, other)).map((value) => ({ [key]: value }))
    })

  test("takes what the loader takes, and refuses what it refuses", { timeout: 60_000 }, () => {
    const base = { name: "x", version: "1.0.0", steps: [{ name: "a" }, { name: "b" }] }
    const file = fc.oneof(
      oddity(WORKFLOW).map((odd) => ({ ...base, ...odd })),
      oddity(STEP).map((odd) => ({ ...base, steps: [{ name: "b" }, { name: "c", ...odd }] })),
      oddity(ENVIRONMENT).map((odd) => ({ ...base, environments: { production: odd } })),
      // Its name is not judged: one that is no name is no step of the workflow either.
      oddity(STEP)
        .filter((odd) => !("name" in odd))
        .map((odd) => ({ ...base, environments: { production: { steps: [{ name: "a", ...odd }] } } })),
      fc
        .constantFrom("name", "version", "steps")
        .map((key) => Object.fromEntries(Object.entries(base).filter(([one]) => one !== key))),
    )
    fc.assert(
      fc.property(file, (odd) => {
        expect({ odd, accepted: matches(odd) }).toEqual({ odd, accepted: isLoaded(odd) })
      }),
      { numRuns: 1_500 },
    )
  })
})
