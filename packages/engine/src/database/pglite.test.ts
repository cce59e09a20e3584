import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { connect } from "./connect.ts"
import { connectPglite } from "./pglite.ts"
import { startTestProcess } from "./test-process.ts"

describe(connectPglite, () => {
  let dir: string

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "tasker-pglite-"))
  })
  afterAll(async () => await rm(dir, { recursive: true }))

  it("a second process is refused, and a killed one is succeeded with nothing lost", async () => {
    const url = `pglite:${join(dir, "shared")}`
    const first = startTestProcess(`
      const database = await connect(${JSON.stringify(url)})
      await database.script("create table kept (n int); insert into kept values (1)")
      console.log("open")
      setInterval(() => {}, 1000)`)
    await first.line("open")
    await expect(connect(url)).rejects.toMatchObject({
      code: "TASKER_DATABASE_IN_USE",
      message: expect.stringContaining(`is open in process ${first.pid}`),
    })
    first.kill("SIGKILL")
    await first.ended

    const database = await connect(url)
    expect(await database.query({ text: "select n from kept" })).toEqual([{ n: 1 }])
    await expect(connect(url)).rejects.toMatchObject({ code: "TASKER_DATABASE_IN_USE" })
    await database.close()
  }, 30_000)

  it("a process that ends without closing leaves no lock behind", async () => {
    const url = `pglite:${join(dir, "exited")}`
    const other = startTestProcess(`await connect(${JSON.stringify(url)}); process.exit(0)`)
    expect(await other.ended).toBe(0)
    const database = await connect(url)
    await database.close()
  }, 30_000)

  it("a transaction may take its time: what is asked meanwhile waits", async () => {
    const database = await connect("pglite:memory")
    const order: string[] = []
    let finish = (): void => {}
    const pause = new Promise<void>((resolve) => (finish = resolve))
    const transaction = database.transaction(async (tx) => {
      await tx.query({ text: "select 1" })
      await pause
      order.push("transaction")
    })
    const connection = await database.reserve()
    const query = connection.query({ text: "select 1" }).then(() => order.push("query"))
    finish()
    await Promise.all([transaction, query])
    expect(order).toEqual(["transaction", "query"])
    await database.close()
  }, 30_000)
})
