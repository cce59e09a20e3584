import { existsSync } from "node:fs"
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

  it("a second process is refused, a killed one is succeeded with nothing lost, one that exits leaves no lock", async () => {
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

    const careless = startTestProcess(`await connect(${JSON.stringify(url)}); process.exit(0)`)
    expect(await careless.ended).toBe(0)
    expect(existsSync(join(dir, "shared", "tasker.lock"))).toBe(false)
  })

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
  })
})
