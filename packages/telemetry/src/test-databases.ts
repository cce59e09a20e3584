import { inject } from "vitest"

declare module "vitest" {
  export interface ProvidedContext {
    /** Given by the engine's test-setup.ts. */
    readonly testBrokerUrl: string
  }
}

/** A kind of database that tests run on. */
export interface DatabaseKind {
  readonly kind: string
  /** Makes a new, empty one, and gives its URL. */
  readonly newUrl: () => Promise<string>
}

/** All kinds that this platform has. */
export async function databaseKinds(): Promise<readonly DatabaseKind[]> {
  const pglite: DatabaseKind = { kind: "pglite", newUrl: async () => "pglite:memory" }
  const servers = await Promise.all(
    [18, 14].map(async (version) => {
      const url = await requestDatabase(version)
      return url === undefined
        ? []
        : [{ kind: `postgres ${version}`, newUrl: async () => (await requestDatabase(version)) ?? url }]
    }),
  )
  return [pglite, ...servers.flat()]
}

/** A database that several processes can share. */
export async function sharedDatabaseUrl(): Promise<string> {
  const url = await requestDatabase(18)
  if (url === undefined) throw new Error("there are no binaries of PostgreSQL 18 for this platform")
  return url
}

async function requestDatabase(version: number): Promise<string | undefined> {
  const response = await fetch(`${inject("testBrokerUrl")}/${version}`)
  if (response.status === 404) return undefined
  const text = await response.text()
  if (!response.ok) throw new Error(`no database of PostgreSQL ${version}: ${text}`)
  return text
}
