import { randomBytes } from "node:crypto"
import { createServer } from "node:http"
import { join } from "node:path"
import pg from "pg"
import { startServer } from "./embedded-server.ts"
import { hasServerBinaries, type ServerVersion } from "./server-binaries.ts"

/** A test server holds nothing that anybody would miss. */
export const NOT_DURABLE = { fsync: "off", synchronous_commit: "off", full_page_writes: "off", max_connections: "200" }

export interface TestBroker {
  readonly url: string
  close(): void
}

/**
 * Gives tests of other workspaces, which know the engine by its entry alone, a database of their own: `GET /18` and
 * `GET /14` answer with the URL of a new, empty one; 404 where the platform has no such binaries.
 *
 * @param dir where the servers of this run are
 */
export async function startTestBroker(dir: string): Promise<TestBroker> {
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const version = versionOf(request.url)
      const url = version === undefined ? undefined : await newDatabase(dir, version)
      response.writeHead(url === undefined ? 404 : 200).end(url)
    }
    answer().catch((error: unknown) => response.writeHead(500).end(String(error)))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  server.unref()
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("the broker of test databases has no port")
  return { url: `http://127.0.0.1:${address.port}`, close: () => void server.close() }
}

function versionOf(path: string | undefined): ServerVersion | undefined {
  return ([18, 14] as const).filter(hasServerBinaries).find((version) => path === `/${version}`)
}

async function newDatabase(dir: string, version: ServerVersion): Promise<string> {
  const server = await startServer({ dir: join(dir, `postgres-${version}`), version, settings: NOT_DURABLE })
  const name = `test_${randomBytes(6).toString("hex")}`
  const client = new pg.Client({ connectionString: server.url("postgres") })
  await client.connect()
  try {
    await client.query(`create database ${name} template template0`)
  } finally {
    await client.end()
  }
  return server.url(name)
}
