import { readFile } from "node:fs/promises"
import type { Database, Queryable } from "../core/database.ts"
import { isTaskerError, TaskerError } from "../core/error.ts"
import { versionSortKey } from "../core/semver.ts"
import { type SqlFile, type SqlFiles, readSqlFiles } from "./sql-files.ts"
import { sqlState } from "./sql-error.ts"

/**
 * Brings the schema `tasker` up to what this version of the package needs.
 *
 * Safe when many processes start at once: each step runs under a lock, and only
 * once. A database that is up to date costs one query. Each migration is one
 * transaction, so a failure leaves the database as it was before it.
 *
 * @returns the migrations that this process applied, in order
 * @throws {@link TaskerError} `TASKER_DATABASE_NEWER` when a newer version migrated the database,
 *   `TASKER_MIGRATION_CHANGED` when an applied migration differs from its file,
 *   `TASKER_MIGRATION_FAILED` when the database refused one
 */
export async function migrate(database: Database): Promise<readonly string[]> {
  const [files, release] = await Promise.all([readSqlFiles(), readRelease()])
  let schema = await readSchema(database)
  if (schema === undefined) {
    await database.script(locked(CREATE_LEDGER))
    schema = (await readSchema(database)) ?? EMPTY
  }
  assertKnown(schema, files)
  const applied: string[] = []
  for (const migration of files.migrations) {
    if (schema.migrations.has(migration.name)) continue
    if (await applyMigration(database, migration)) applied.push(migration.name)
  }
  if (!isOlder(release, schema.release)) await applyRoutines(database, files.routines, schema, release)
  return applied
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
  let needed: Promise<readonly [SqlFiles, string]> | undefined
  return async (db) => {
    const [schema = EMPTY, [files, release]] = await Promise.all([
      readSchema(db),
      (needed ??= Promise.all([readSqlFiles(), readRelease()])),
    ])
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

/** What another process did in the meantime needs no doing. */
const DONE_BY_ANOTHER = "TK002"

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

/** Whether it did, and not another process. */
async function applyMigration(database: Database, migration: SqlFile): Promise<boolean> {
  return await applyOnce(database, migration.name, [
    `do $guard$ begin
      if exists (select from tasker.migrations where name = '${migration.name}') then
        raise exception 'done' using errcode = '${DONE_BY_ANOTHER}';
      end if;
    end $guard$;`,
    migration.text,
    `insert into tasker.migrations (name, hash) values ('${migration.name}', '${migration.hash}');`,
  ])
}

/** All that changed, in one transaction: functions that call each other must not be met half replaced. */
async function applyRoutines(
  database: Database,
  routines: readonly SqlFile[],
  schema: Schema,
  release: string,
): Promise<void> {
  const changed = routines.filter((routine) => schema.routines.get(routine.name) !== routine.hash)
  if (changed.length === 0) return
  const rows = changed.map(({ name, hash }) => `('${name}', '${hash}', '${release}')`)
  await applyOnce(database, "functions and views", [
    // A function may call one that comes after it.
    "set local check_function_bodies = off;",
    ...changed.map((routine) => routine.text),
    `insert into tasker.routines (name, hash, release) values ${rows.join(", ")}
     on conflict (name) do update set hash = excluded.hash, release = excluded.release, applied_at = now();`,
    `update tasker.routines set release = '${release}';`,
  ])
}

async function applyOnce(database: Database, name: string, statements: readonly string[]): Promise<boolean> {
  try {
    await database.script(locked(statements.join("\n")))
    return true
  } catch (error) {
    if (sqlState(error) === DONE_BY_ANOTHER) return false
    if (isTaskerError(error)) throw error
    throw new TaskerError("TASKER_MIGRATION_FAILED", `the database refused migration "${name}"`, {
      cause: error,
      details: { migration: name },
    })
  }
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
