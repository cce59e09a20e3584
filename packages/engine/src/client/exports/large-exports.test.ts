import { Writable } from "node:stream"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { describe, expect, test } from "vitest"
import { testDatabases } from "../../database/test-database.ts"
import { migrate } from "../../store/migrate.ts"
import { createTestBench, single } from "../test-bench.ts"
import { createTestExports } from "./test-exports.ts"

const ROWS = 100_000

setFlagsFromString("--expose-gc")
// It is V8's own, and takes nothing.
const collectGarbage = runInNewContext("gc") as () => void

function heapMegabytes(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed / 1e6
}

// PGlite lives in this process, so what it takes would be counted too. bench/src/exports-main.ts does it with a million.
describe.each(testDatabases(migrate).filter(({ kind }) => kind === "postgres 18"))("on $kind", ({ open }) => {
  test("a long export takes no more memory than a short one", { timeout: 120_000 }, async () => {
    const opened = await open()
    const { database } = opened
    try {
      const bench = await createTestBench(database, [single])
      const { taskId } = await bench.client.createTask(single, { a: 1 })
      await database.query({
        text: `
          insert into tasker.transitions (at, task_id, from_state, to_state, cause, reason)
          select now(), $1, 'pending', 'pending', 'paused', 'because of number ' || number
          from generate_series(1, $2) as number`,
        values: [taskId, ROWS],
      })
      const heaps: number[] = []
      let chunkCount = 0
      const to = new Writable({
        write(_chunk, _encoding, done) {
          if (chunkCount++ % 10 === 0) heaps.push(heapMegabytes())
          done()
        },
      })
      const exports = createTestExports(database, { pageRows: 1_000 })
      const summary = await exports.run({ what: "history", format: "csv", to })
      expect(summary.recordCount).toBe(ROWS + 1)
      expect(heaps.length).toBeGreaterThan(15)
      // All rows at once take a hundred megabytes.
      expect(Math.max(...heaps) - (heaps[1] ?? 0)).toBeLessThan(10)
    } finally {
      await opened.close()
    }
  })
})
