import { TaskerError } from "../core/error.ts"
import { createKeyJudge } from "../core/secret-keys.ts"

/** What a database URL says. */
export type DatabaseTarget =
  | { readonly kind: "postgres"; readonly url: string; readonly displayUrl: string }
  | { readonly kind: "embedded"; readonly dir: string }
  | { readonly kind: "pglite"; readonly dir: string | undefined }

const DEFAULT_DIR = "./.tasker"
const KNOWN_FORMS = "use postgres://user:password@host:5432/database, embedded:DIR, pglite:DIR or pglite:memory"

/**
 * Reads a database URL.
 *
 * @throws TASKER_DATABASE_URL_INVALID when it has none of the known forms. The error never repeats the URL, since it may hold
 * a password.
 */
export function parseDatabaseUrl(url: string): DatabaseTarget {
  if (typeof url !== "string" || url.trim() === "") {
    throw invalid(`expected a database URL, got ${url === "" ? "an empty string" : typeof url}`, KNOWN_FORMS)
  }
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase()
  switch (scheme) {
    case "postgres":
    case "postgresql":
      return { kind: "postgres", url, displayUrl: withoutPassword(url) }
    case "embedded":
      return { kind: "embedded", dir: directoryOf(url, "embedded:") }
    case "pglite":
      return parsePgliteUrl(url)
    default:
      throw invalid(
        scheme === undefined
          ? "the database URL has no scheme"
          : `the scheme "${scheme}:" of the database URL is unknown`,
        KNOWN_FORMS,
      )
  }
}

const judge = createKeyJudge()

/** The URL without its password, wherever that stands. Keeps the rest, so that it still tells databases apart. */
export function withoutPassword(url: string): string {
  const parsed = parsePostgresUrl(url)
  parsed.password = ""
  for (const name of new Set(parsed.searchParams.keys())) {
    if (judge(name) !== "public") parsed.searchParams.delete(name)
  }
  return parsed.href.replace(`@${NO_HOST}`, "@").replace(`//${NO_HOST}`, "//")
}

// `postgres://user:password@/database?host=/run/postgresql` is what PostgreSQL understands and WHATWG URLs do not.
const NO_HOST = "tasker-no-host"

/** The parts of a `postgres://` URL; the host is empty where the URL names a socket by a query parameter. */
export function parsePostgresUrl(url: string): URL {
  for (const candidate of [url, url.replace("@/", `@${NO_HOST}/`), url.replace(":///", `://${NO_HOST}/`)]) {
    try {
      return new URL(candidate)
    } catch {
      // The next form; the parser's own error quotes the URL with its password, so it is not kept as a cause.
    }
  }
  throw invalid(
    "the postgres:// URL cannot be read",
    "encode special characters of the user and password, as encodeURIComponent does",
  )
}

function parsePgliteUrl(url: string): DatabaseTarget {
  const dir = directoryOf(url, "pglite:")
  return { kind: "pglite", dir: /^(memory(:(\/\/)?)?|:memory:)$/.test(dir) ? undefined : dir }
}

function directoryOf(url: string, scheme: string): string {
  const dir = url.slice(scheme.length).replace(/^\/\/(?=\/|$)/, "")
  if (dir.includes("\0")) throw invalid("the directory of the database URL holds a NUL character", KNOWN_FORMS)
  if (dir.startsWith("//")) {
    throw invalid(
      `expected a directory after "${scheme}", got "${dir}"`,
      `write ${scheme}./dir or ${scheme}/absolute/dir`,
    )
  }
  return dir === "" ? DEFAULT_DIR : dir
}

function invalid(message: string, hint: string): TaskerError {
  return new TaskerError("TASKER_DATABASE_URL_INVALID", message, { hint })
}
