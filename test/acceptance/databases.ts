import { inject } from "vitest"

declare module "vitest" {
  export interface ProvidedContext {
    /** Given by the engine's test-setup.ts. */
    readonly testBrokerUrl: string
  }
}

/** A kind of database that the acceptance tests run on. */
export interface DatabaseKind {
  readonly kind: string
  /** Makes a new, empty one, and gives its URL. */
  readonly newUrl: () => Promise<string>
}

const pglite: DatabaseKind = { kind: "pglite", newUrl: async () => "pglite:memory" }

/** All kinds that this platform has. */
export async function databaseKinds(): Promise<readonly DatabaseKind[]> {
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

async function requestDatabase(version: number): Promise<string | undefined> {
  const response = await fetch(`${inject("testBrokerUrl")}/${version}`)
  if (response.status === 404) return undefined
  const text = await response.text()
  if (!response.ok) throw new Error(`no database of PostgreSQL ${version}: ${text}`)
  return text
}
