import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { defineTemplate } from "../core/define-template.ts"
import { silentLogger } from "../core/logger.ts"
import { testDatabase } from "../database/test-database.ts"
import { migrate } from "../store/migrate.ts"
import { createTasker, type Tasker } from "../tasker.ts"
import { runTask } from "../testing.ts"

const parents = Array.from({ length: 65 }, (_parent, number) => `parent_${number}`)
const steps: { name: string; dependsOn?: string[] }[] = [
  ...parents.map((name) => ({ name })),
  { name: "gather", dependsOn: parents },
]
const wide = defineTemplate({ name: "wide", version: "1.0.0", steps }).implement(
  Object.fromEntries([
    ...parents.map((name, number) => [name, () => number] as const),
    [
      "gather",
      ({ results }: { results: Record<string, unknown> }) =>
        Object.values(results).reduce((sum: number, result) => sum + Number(result), 0),
    ] as const,
  ]),
)

describe("a step with many parents", () => {
  let opened: Awaited<ReturnType<ReturnType<typeof testDatabase>["open"]>>
  let tasker: Tasker

  beforeAll(async () => {
    opened = await testDatabase("postgres 18", migrate).open()
    tasker = await createTasker({ url: opened.url, logger: silentLogger, workflows: [wide] })
    await tasker.startWorker()
  })
  afterAll(async () => {
    await tasker.close()
    await opened.close()
  })

  it("is given the results of all of them", async () => {
    expect((await runTask(tasker, wide, null)).results).toMatchObject({ gather: (64 * 65) / 2 })
  })

  it("fails alone, and for good, when they are too large together", async () => {
    // What the function says of 256 MiB; to make that many would take minutes.
    await opened.database.query({
      text: `create or replace function tasker.gather_results (p_task_id uuid, p_step_nos smallint[]) returns jsonb
        language sql as $$ select 'false'::jsonb $$`,
    })
    const run = await runTask(tasker, wide, null)
    expect(run).toMatchObject({ state: "error", error: { code: "TASKER_RESULT_INVALID" }, attempts: { gather: 1 } })
    expect(await tasker.verify()).toEqual([])
  })
})
