import { chmod, mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import pg from "pg"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import type { Database } from "../../core/database.ts"
import { defineWorkflow } from "../../core/define-workflow.ts"
import { silentLogger } from "../../core/logger.ts"
import type { WorkerVitals } from "../../core/worker-vitals.ts"
import { type EmbeddedServer, startServer } from "../../database/embedded-server.ts"
import { NOT_DURABLE } from "../../database/test-broker.ts"
import { testDatabase, testDatabases, type TestDatabase, testServer } from "../../database/test-database.ts"
import { createSchemaCheck, migrate } from "../../store/migrate.ts"
import { openTransaction, untilBlocked } from "../../store/test-store.ts"
import { createTasker, type Tasker, type TaskerOptions } from "../../tasker.ts"
import { createGate } from "../../testing.ts"
import type { ClientRooms } from "../client-rooms.ts"
import { ready, type ReadyOptions } from "./ready.ts"

const quick = defineWorkflow({ name: "quick", version: "1.0.0" }).step("only", { handler: () => 1 })

const taskers: Tasker[] = []

async function start(options: TaskerOptions): Promise<Tasker> {
  const tasker = await createTasker({ logger: silentLogger, workflows: [quick], ...options })
  taskers.push(tasker)
  return tasker
}

afterEach(async () => {
  await Promise.all(taskers.splice(0).map(async (tasker) => await tasker.close({ timeoutMs: 0 })))
})

/** What a check that a busy machine holds up does not run into. */
const PATIENT: ReadyOptions = { timeoutMs: 30_000 }

/** What is wrong, by the name of the check. */
async function problems(tasker: Tasker, options = PATIENT): Promise<Readonly<Record<string, string | undefined>>> {
  const { failedChecks, checks } = await tasker.health.ready(options)
  return Object.fromEntries(failedChecks.map((name) => [name, checks[name].message]))
}

describe.each(testDatabases(migrate))("ready on $kind", ({ kind, open }) => {
  let opened: TestDatabase
  let database: Database

  beforeAll(async () => {
    opened = await open()
    database = opened.database
  })
  afterAll(async () => await opened.close())

  it("a process with a database and a worker is ready, and says what it has looked at", async () => {
    const tasker = await start({ url: opened.url })
    const worker = await tasker.startWorker({ name: "w", concurrency: 7, lanes: 2, leaseMs: 5_000 })
    const found = await tasker.health.ready(PATIENT)
    expect(found).toMatchObject({
      ready: true,
      failedChecks: [],
      checks: {
        database: { status: "ok", responseMs: expect.any(Number) },
        migrations: { status: "ok" },
        listener: { status: "ok" },
        workers: {
          status: "ok",
          workers: [
            {
              workerId: worker.workerId,
              name: "w",
              state: "running",
              leaseMs: 5_000,
              laneCount: 2,
              runningLaneCount: 2,
              concurrency: 7,
              runningStepCount: 0,
            },
          ],
        },
      },
    })
    expect(found.durationMs).toBeGreaterThan(0)
    expect(found.checks.database.responseMs).toBeLessThanOrEqual(found.durationMs)
  })

  it("a process that only creates tasks needs no worker, and one without notifications no listener", async () => {
    const tasker = await start({ url: opened.url, notifications: false })
    const { ready: isReady, checks } = await tasker.health.ready(PATIENT)
    expect(isReady).toBe(true)
    expect(checks).toMatchObject({
      listener: { status: "off", message: "notifications are off" },
      workers: { status: "off", message: "no worker runs in this process", workers: [] },
    })
  })

  it("a worker that stops is not ready, and one that has stopped is nobody's business", async () => {
    const gate = createGate()
    const slow = defineWorkflow({ name: `slow_${kind.replace(" ", "_")}`, version: "1.0.0" }).step("wait", {
      handler: async () => await gate.pass(),
    })
    const tasker = await start({ url: opened.url, workflows: [slow] })
    const worker = await tasker.startWorker()
    await tasker.createTask(slow, null)
    await gate.reached()
    const stopped = worker.stop()
    expect(await problems(tasker)).toEqual({ workers: `worker ${worker.workerId} "worker" is stopping` })
    gate.open()
    await stopped
    expect(await tasker.health.ready(PATIENT)).toMatchObject({ ready: true, checks: { workers: { status: "off" } } })
  })

  it("a Tasker that is closed is not ready, and says so instead of throwing", async () => {
    const tasker = await start({ url: opened.url })
    await tasker.close()
    expect(await problems(tasker)).toEqual({
      database: "the database is closed",
      migrations: "the database does not answer",
      listener: "the database is closed",
    })
    expect(tasker.health.live()).toMatchObject({ alive: true, pid: process.pid })
  })

  // Of another connection's doing, which PGlite has none of.
  it.skipIf(kind === "pglite")(
    "says what the database lacks, and takes one that a newer version brought further",
    async () => {
      const tasker = await start({ url: opened.url })
      await database.query({ text: "update tasker.migrations set name = 'x' || name where name like '000002%'" })
      expect(await problems(tasker)).toEqual({
        migrations: "the database lacks what this version needs: 000002_create_tasks_and_steps",
      })
      await database.query({ text: "update tasker.migrations set name = substr(name, 2) where name like 'x%'" })
      expect(await problems(tasker)).toEqual({})

      const restore = await kept("select name, hash, release from tasker.routines")
      await database.query({ text: "update tasker.routines set hash = 'old' where name > 'q'" })
      expect((await problems(tasker))["migrations"]).toMatch(/lacks .*: queue_load, .*, .*, .*, .* and \d+ more$/)
      await database.query({ text: "update tasker.routines set release = '999.0.0'" })
      expect((await tasker.health.ready(PATIENT)).checks.migrations).toEqual({
        status: "ok",
        message: "a newer version has brought the database further",
      })
      await restore()
      await database.query({ text: "insert into tasker.migrations (name, hash) values ('999999_future', '')" })
      expect(await tasker.health.ready(PATIENT)).toMatchObject({
        ready: true,
        checks: { migrations: { message: /newer/ } },
      })
      await database.query({ text: "delete from tasker.migrations where name = '999999_future'" })
    },
  )

  async function kept(text: string): Promise<() => Promise<void>> {
    const rows = await database.query<{ name: string; hash: string; release: string }>({ text })
    return async () => {
      for (const { name, hash, release } of rows) {
        await database.query({
          text: "update tasker.routines set hash = $2, release = $3 where name = $1",
          values: [name, hash, release],
        })
      }
    }
  }

  it("refuses options that there are not", async () => {
    const tasker = await start({ url: opened.url })
    for (const options of [{ timeoutMs: 0 }, { timeoutMs: 60_001 }, { timeout: 5 }, 5]) {
      // What a user without a compiler may pass.
      await expect(tasker.health.ready(options as ReadyOptions)).rejects.toMatchObject({
        code: "TASKER_OPTION_INVALID",
      })
    }
  })
})

describe("ready, when workers are sick", () => {
  let opened: TestDatabase
  let database: Database

  beforeAll(async () => {
    opened = await testDatabase("postgres 18", migrate).open()
    database = opened.database
  })
  afterAll(async () => await opened.close())

  it("a worker that cannot renew its lease is not ready once that has run out, and is again when it could", async () => {
    const tasker = await start({ url: opened.url })
    await tasker.startWorker({ leaseMs: 1_000 })
    const lock = await openTransaction(database, async (tx) => {
      await tx.query({ text: "lock table tasker.workers in access exclusive mode" })
    })
    await expect
      .poll(async () => (await problems(tasker))["workers"], { timeout: 20_000 })
      .toMatch(/^worker \d+ "worker" renewed its lease \d{4,} ms ago, which holds for 1000 ms$/)
    await lock.commit()
    await expect.poll(async () => await problems(tasker), { timeout: 20_000 }).toEqual({})
  })

  it("a worker that recovers from a lost connection is not ready until it goes on", async () => {
    const tasker = await start({ url: opened.url })
    const worker = await tasker.startWorker({ pollMs: 20 })
    // The call that it loses waits for this lock, and then its recovery does, for as long as the test wants.
    const lock = await openTransaction(database, async (tx) => {
      await tx.query({ text: "lock table tasker.step_queue in access exclusive mode" })
    })
    await untilBlocked(database)
    await database.query({
      text: `
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and query ilike '%tasker.advance%'`,
    })
    await expect
      .poll(async () => (await problems(tasker))["workers"], { timeout: 20_000 })
      .toBe(`worker ${worker.workerId} "worker" is recovering`)
    await lock.commit()
    await expect.poll(async () => await problems(tasker), { timeout: 20_000 }).toEqual({})
  })

  it("a worker whose lanes do not all run is not ready, and one that has not begun is not either", async () => {
    const sound: WorkerVitals = {
      workerId: 5,
      name: "w",
      state: "running",
      heartbeatAgeMs: 10,
      leaseMs: 1_000,
      laneCount: 2,
      runningLaneCount: 2,
      concurrency: 10,
      runningStepCount: 0,
    }
    const of = async (...workers: readonly WorkerVitals[]) => {
      // All that `ready` asks of its rooms.
      const rooms = { database, notifications: true, workers: () => workers } as Partial<ClientRooms> as ClientRooms
      return (await ready(rooms, createSchemaCheck(), PATIENT)).checks.workers
    }
    expect((await of(sound)).status).toBe("ok")
    expect(await of(sound, { ...sound, workerId: 6, runningLaneCount: 1 })).toMatchObject({
      status: "failed",
      message: 'worker 6 "w" has 1 of 2 lanes running',
    })
    expect(await of({ ...sound, workerId: 0, state: "starting" })).toMatchObject({
      message: 'worker "w" is starting',
    })
    expect(await of({ ...sound, state: "stopped" })).toMatchObject({ status: "off", workers: [] })
  })

  it("a process whose listener was lost is not ready until it listens again", async () => {
    const tasker = await start({ url: opened.url })
    const admin = new pg.Client({ connectionString: (await testServer(18)).url("postgres") })
    await admin.connect()
    const name = new URL(opened.url).pathname.slice(1)
    await admin.query(`alter database ${name} with allow_connections false`)
    await database.query({
      text: `
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and query ilike '%listen %' and pid <> pg_backend_pid()`,
    })
    await expect
      .poll(async () => (await problems(tasker, { timeoutMs: 200 }))["listener"])
      .toBe("the connection that listens for notifications was lost")
    await admin.query(`alter database ${name} with allow_connections true`)
    await admin.end()
    await expect.poll(async () => await problems(tasker), { timeout: 20_000 }).toEqual({})
  })
})

describe("ready, when the server is frozen", () => {
  let dir: string
  let server: EmbeddedServer

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "tasker-frozen-"))
    await chmod(dir, 0o755)
    server = await startServer({ dir: join(dir, "server"), settings: NOT_DURABLE })
  })
  afterAll(async () => {
    await server.stop("immediate")
    await rm(dir, { recursive: true })
  })

  /** The postmaster and all of its processes. */
  async function pidsOf({ pid }: EmbeddedServer): Promise<readonly number[]> {
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")
    return [pid, ...children.trim().split(" ").map(Number)]
  }

  it.skipIf(process.platform !== "linux")(
    "answers within its time limit, however often it is asked, and is ready again when the server goes on",
    async () => {
      const tasker = await start({ url: server.url(), poolSize: 4 })
      await tasker.startWorker({ lanes: 1, leaseMs: 60_000 })
      expect(await problems(tasker)).toEqual({})
      const pids = await pidsOf(server)
      for (const pid of pids) process.kill(pid, "SIGSTOP")
      try {
        // More often than the pool has connections.
        for (let attempt = 1; attempt <= 8; attempt++) {
          const found = await tasker.health.ready({ timeoutMs: 100 })
          expect(found.failedChecks).toEqual(["database", "migrations", "listener"])
          expect(found.checks.database.message).toContain("did not answer within 100 ms")
          // By the event loop's leave: other tests take the processor.
          expect(found.durationMs).toBeLessThan(5_000)
        }
        await expect(tasker.health.status({ timeoutMs: 100 })).rejects.toMatchObject({
          code: "TASKER_DATABASE_UNAVAILABLE",
        })
      } finally {
        for (const pid of pids) process.kill(pid, "SIGCONT")
      }
      await expect.poll(async () => await problems(tasker), { timeout: 20_000 }).toEqual({})
      expect((await tasker.health.status(PATIENT)).pool?.waiting).toBe(0)
    },
  )

  it("a server that is gone is said to be gone, at once", async () => {
    const tasker = await start({ url: server.url() })
    // Not a crash: this server may lose what it has just committed.
    await server.stop("fast")
    await expect
      .poll(async () => (await problems(tasker))["database"], { timeout: 20_000 })
      .toMatch(/ECONNREFUSED|connection was lost|Connection terminated/)
    server = await server.restart()
    await expect.poll(async () => await problems(tasker), { timeout: 20_000 }).toEqual({})
  })
})
