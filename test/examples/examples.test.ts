import { chmod, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { normalizeOutput } from "./normalize-output.ts"
import { EXAMPLE_TIMEOUT_MS, runExample } from "./run-example.ts"

/** A test runs two examples at most. */
const TIMEOUT_MS = 2 * EXAMPLE_TIMEOUT_MS + 5_000

let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tasker-examples-"))
  // As root, PostgreSQL runs as another user, who must get in.
  await chmod(directory, 0o755)
})

afterAll(() => rm(directory, { recursive: true, force: true }))

/** Update with `npx vitest run test/examples -u`, and read what changed. */
async function expectOutput(example: string, databaseUrl: string): Promise<void> {
  const { code, output, errors } = await runExample(example, databaseUrl).ended
  expect(errors).toBe("")
  await expect(normalizeOutput(output)).toMatchFileSnapshot(`../../examples/${example}/expected-output.txt`)
  expect(code).toBe(0)
}

describe("order-processing", () => {
  test("prints what it should, on PGlite", () => expectOutput("order-processing", "pglite:memory"), TIMEOUT_MS)

  test(
    "prints the same on PostgreSQL, and in a database that it has used before",
    async () => {
      const url = `embedded:${join(directory, "orders")}`
      await expectOutput("order-processing", url)
      await expectOutput("order-processing", url)
    },
    TIMEOUT_MS,
  )
})

describe("patterns", () => {
  test("prints what it should, on PGlite", () => expectOutput("patterns", "pglite:memory"), TIMEOUT_MS)

  test(
    "prints the same on PostgreSQL",
    () => expectOutput("patterns", `embedded:${join(directory, "patterns")}`),
    TIMEOUT_MS,
  )
})

test(
  "Ctrl-C ends the order example, and the next run goes on with its orders",
  async () => {
    const url = `embedded:${join(directory, "interrupted")}`
    const interrupted = runExample("order-processing", url)
    await interrupted.printed(/validate_cart +✔/)
    interrupted.kill("SIGINT")
    expect(await interrupted.ended).toMatchObject({
      code: 130,
      errors: "",
      output: expect.stringMatching(/\nStopped\..*\n$/),
    })

    const { code, output } = await runExample("order-processing", url).ended
    expect(output).toMatch(/unfinished from an earlier run/)
    expect(output).toMatch(/~1 .*● complete/)
    expect(code).toBe(0)
  },
  TIMEOUT_MS,
)
