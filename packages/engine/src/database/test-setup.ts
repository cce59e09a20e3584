import { mkdirSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import type { TestProject } from "vitest/node"
import { findServer } from "./embedded-server.ts"
import { isPidAlive } from "./lock-file.ts"
import { startTestBroker, type TestBroker } from "./test-broker.ts"

declare module "vitest" {
  export interface ProvidedContext {
    /** Where the test servers of this run are, or will be once a test asks for one. */
    readonly testServersDir: string
    /** Where tests of other workspaces get their databases: see test-broker.ts. */
    readonly testBrokerUrl: string
  }
}

let broker: TestBroker | undefined

/**
 * Makes a place for the database servers of one vitest run, and stops at the end those that tests have started in it. They are
 * started by the first test that needs one, so a run without a database costs nothing.
 */
export async function setup(project: TestProject): Promise<void> {
  const dir = directoryOfRun()
  const parent = dirname(dir)
  mkdirSync(parent, { recursive: true, mode: 0o755 })
  // What runs that were killed have left behind.
  for (const run of readdirSync(parent)) {
    if (!isPidAlive(Number(run))) await remove(join(parent, run))
  }
  mkdirSync(dir, { recursive: true, mode: 0o755 })
  project.provide("testServersDir", dir)
  broker = await startTestBroker(dir)
  project.provide("testBrokerUrl", broker.url)
}

/** Runs once, after all tests. */
export async function teardown(): Promise<void> {
  broker?.close()
  await remove(directoryOfRun())
}

function directoryOfRun(): string {
  return join(tmpdir(), `tasker-test-${process.getuid?.() ?? ""}`, String(process.pid))
}

async function remove(dir: string): Promise<void> {
  for (const name of readdirSync(dir)) {
    const server = await findServer(join(dir, name)).catch(() => undefined)
    await server?.stop("immediate")
  }
  rmSync(dir, { recursive: true, force: true })
}
