import { readFile } from "node:fs/promises"
import type { Database, Queryable } from "../core/database.ts"
import { isTaskerError, TaskerError } from "../core/error.ts"
import { versionSortKey } from "../core/semver.ts"
import { type SqlFile, type SqlFiles, readSqlFiles } from "./sql-files.ts"
import { sqlState } from "./sql-error.ts"

/**
 * Brings the schema `tasker` up to what this version of the package needs.
 *
 * Safe when many processes start at once: what is needed is applied under a lock, and only
 * once. A database that is up to date costs two queries. All that is missing, migrations and
 * functions, is one transaction: workers that run meanwhile never meet a table without the
 * functions that fit it, and a failure leaves the database as it was.
 *
 * @returns the migrations that this process applied, in order
 * @throws {@link TaskerError} `TASKER_DATABASE_NEWER` when a newer version migrated the database,
 *   `TASKER_MIGRATION_CHANGED` when an applied migration differs from its file,
 *   `TASKER_MIGRATION_FAILED` when the database refused one
 */
export async function migrate(database: Database): Promise<readonly string[]> {
  const [files, release] = await Promise.all([readSqlFiles(), readRelease()])
  const found = await readSchema(database)
  if (found === undefined) await database.script(locked(CREATE_LEDGER))
  for (let schema = found ?? EMPTY; ; schema = (await readSchema(database)) ?? EMPTY) {
    assertKnown(schema, files)
    const migrations = files.migrations.filter(({ name }) => !schema.migrations.has(name))
    const routines = isOlder(release, schema.release)
      ? []
      : files.routines.filter(({ name, hash }) => schema.routines.get(name) !== hash)
    if (migrations.length + routines.length === 0) return []
    if (await applyOnce(database, { schema, release, migrations, routines })) return migrations.map(({ name }) => name)
  }
}

/** How the schema of a database differs from what this version of the package needs. */
export interface SchemaDifference {
  /** Migrations that were not applied, or from another text; functions and views that have another text. */
  readonly missing: readonly string[]
  /** Whether a newer version has brought it further. */
  readonly isNewer: boolean
}

/** Makes a function that compares a database with this version of the package, whose files it reads once. */
export function createSchemaCheck(): (db: Queryable) => Promise<SchemaDifference> {
  let needed: readonly [SqlFiles, string] | undefined
  return async (db) => {
    // Kept once they were read, and not before: what fails now may come through the next time.
    needed ??= await Promise.all([readSqlFiles(), readRelease()])
    const [files, release] = needed
    const schema = (await readSchema(db)) ?? EMPTY
    const known = new Set(files.migrations.map(({ name }) => name))
    const isReplaced = isOlder(release, schema.release)
    return {
      missing: [
        ...files.migrations.filter(({ name, hash }) => schema.migrations.get(name) !== hash),
        // A newer version has put its own in their place.
        ...files.routines.filter(({ name, hash }) => !isReplaced && schema.routines.get(name) !== hash),
      ].map(({ name }) => name),
      isNewer: isReplaced || [...schema.migrations.keys()].some((name) => !known.has(name)),
    }
  }
}

interface Schema {
  readonly migrations: ReadonlyMap<string, string>
  readonly routines: ReadonlyMap<string, string>
  /** The version of the package that last replaced functions and views. */
  readonly release: string | null
}

const EMPTY: Schema = { migrations: new Map(), routines: new Map(), release: null }

const CREATE_LEDGER = `
create schema if not exists tasker;
create table if not exists tasker.migrations (
  name       text not null,
  hash       text not null,
  applied_at timestamptz not null default now(),
  constraint migrations_pkey primary key (name)
);
create table if not exists tasker.routines (
  name       text not null,
  hash       text not null,
  release    text not null,
  applied_at timestamptz not null default now(),
  constraint routines_pkey primary key (name)
);`

/** Another process changed the schema since it was read: what is missing has to be found anew. */
const CHANGED_BY_ANOTHER = "TK002"

function locked(sql: string): string {
  return `begin; select pg_advisory_xact_lock(hashtext('tasker.migrate'));\n${sql}\ncommit;`
}

async function readSchema(db: Queryable): Promise<Schema | undefined> {
  const [ledger] = await db.query<{ exists: boolean }>({
    text: "select to_regclass('tasker.routines') is not null as exists",
  })
  if (ledger?.exists !== true) return undefined
  const rows = await db.query<{ kind: "migration" | "routine"; name: string; hash: string; release: string }>({
    text: `
      select 'migration' as kind, name, hash, null as release from tasker.migrations
      union all
      select 'routine', name, hash, release from tasker.routines`,
  })
  const of = (kind: string) => new Map(rows.filter((row) => row.kind === kind).map((row) => [row.name, row.hash]))
  return {
    migrations: of("migration"),
    routines: of("routine"),
    release: rows.find((row) => row.kind === "routine")?.release ?? null,
  }
}

function assertKnown(schema: Schema, files: SqlFiles): void {
  const known = new Map(files.migrations.map((file) => [file.name, file.hash]))
  for (const [name, hash] of schema.migrations) {
    const expected = known.get(name)
    if (expected === undefined) {
      throw new TaskerError("TASKER_DATABASE_NEWER", `the database has migration "${name}", which this version lacks`, {
        hint: "update @tasker/engine to the version that migrated the database, or newer",
        details: { migration: name },
      })
    }
    if (expected !== hash) {
      throw new TaskerError("TASKER_MIGRATION_CHANGED", `migration "${name}" was applied from another text`, {
        hint: "install the released package again; a database of your own development may be dropped instead",
        details: { migration: name },
      })
    }
  }
}

/** What is missing in a schema as it was read. */
interface Upgrade {
  readonly schema: Schema
  readonly release: string
  readonly migrations: readonly SqlFile[]
  readonly routines: readonly SqlFile[]
}

/** Whether it did: not when another process changed the schema first. */
async function applyOnce(database: Database, upgrade: Upgrade): Promise<boolean> {
  try {
    await database.script(locked(statementsOf(upgrade).join("\n")))
    return true
  } catch (error) {
    if (sqlState(error) === CHANGED_BY_ANOTHER) return false
    if (isTaskerError(error)) throw error
    const names = upgrade.migrations.map(({ name }) => name)
    const what = names.length === 0 ? "functions and views" : names.join(", ")
    throw new TaskerError("TASKER_MIGRATION_FAILED", `the database refused migration "${what}"`, {
      cause: error,
      details: { migration: what },
    })
  }
}

function statementsOf({ schema, release, migrations, routines }: Upgrade): readonly string[] {
  const pairs = routines.map(({ name, hash }) => `('${name}', '${hash}')`)
  const rows = routines.map(({ name, hash }) => `('${name}', '${hash}', '${release}')`)
  const known = schema.release === null ? "null" : `'${schema.release}'`
  return [
    `do $guard$ begin
      if (select count(*) from tasker.migrations) <> ${schema.migrations.size}
        or exists (select from tasker.routines where release is distinct from ${known}${
          pairs.length === 0 ? "" : ` or (name, hash) in (${pairs.join(", ")})`
        })
      then
        raise exception 'changed' using errcode = '${CHANGED_BY_ANOTHER}';
      end if;
    end $guard$;`,
    ...migrations.flatMap(({ name, hash, text }) => [
      text,
      `insert into tasker.migrations (name, hash) values ('${name}', '${hash}');`,
    ]),
    ...(routines.length === 0
      ? []
      : [
          // A function may call one that comes after it.
          "set local check_function_bodies = off;",
          ...routines.map(({ text }) => text),
          `insert into tasker.routines (name, hash, release) values ${rows.join(", ")}
           on conflict (name) do update set hash = excluded.hash, release = excluded.release, applied_at = now();`,
          `update tasker.routines set release = '${release}';`,
        ]),
  ]
}

/** A process that runs an older release leaves the functions of a newer one alone. */
function isOlder(release: string, current: string | null): boolean {
  return current !== null && versionSortKey(release) < versionSortKey(current)
}

async function readRelease(): Promise<string> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8")
  const manifest: unknown = JSON.parse(text)
  if (
    typeof manifest === "object"
    && manifest !== null
    && "version" in manifest
    && typeof manifest.version === "string"
  )
    return manifest.version
  throw new TaskerError("TASKER_INTERNAL", "the package.json of @tasker/engine has no version")
}
