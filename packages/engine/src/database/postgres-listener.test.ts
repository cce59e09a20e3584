import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { PostgresListener } from "./postgres-listener.ts"
import { testDatabase } from "./test-database.ts"
import type { TestDatabase } from "./test-database.ts"
import { testLogger } from "./test-logger.ts"

describe(PostgresListener, () => {
  let opened: TestDatabase

  beforeAll(async () => {
    opened = await testDatabase("postgres 18").open()
  })
  afterAll(async () => await opened.close())

  function create(
    notify: (text: string) => Promise<void>,
    selfTestMs = 30_000,
  ): { listener: PostgresListener; lines: string[] } {
    const logger = testLogger()
    const clientConfig = { connectionString: opened.url }
    return { listener: new PostgresListener({ clientConfig, logger, notify, selfTestMs }), lines: logger.lines }
  }

  it("warns once when notifications do not arrive, as behind PgBouncer, and goes on", async () => {
    const { listener, lines } = create(async () => {}, 100)
    await listener.listen(
      "a",
      () => {},
      () => {},
    )
    await listener.listen(
      "b",
      () => {},
      () => {},
    )
    await expect.poll(() => lines).toEqual([expect.stringContaining("notifications do not arrive (PgBouncer")])
    await listener.close()
  })

  it("says nothing when they arrive", async () => {
    const { listener, lines } = create(async (text) => void (await opened.database.query({ text })))
    await listener.listen(
      "a",
      () => {},
      () => {},
    )
    // It goes on listening for its own notification until that has arrived.
    await expect
      .poll(async () => {
        const text = `
          select 1 from pg_stat_activity
          where datname = current_database() and state = 'idle' and query like 'unlisten "tasker_self_test_%'`
        return await opened.database.query({ text })
      })
      .toHaveLength(1)
    expect(lines).toEqual([])
    await listener.close()
  })

  it("a subscriber that throws is logged and does not silence the others", async () => {
    const { listener, lines } = create(async (text) => void (await opened.database.query({ text })))
    const heard: string[] = []
    const fail = (): void => {
      throw new Error("no ears")
    }
    await listener.listen("a", fail, () => {})
    await listener.listen(
      "a",
      (payload) => heard.push(payload),
      () => {},
    )
    await opened.database.query({ text: "notify a, 'x'" })
    await expect.poll(() => heard).toEqual(["x"])
    expect(lines).toEqual([expect.stringContaining("no ears")])
    await listener.close()
    await listener.close()
  })
})
