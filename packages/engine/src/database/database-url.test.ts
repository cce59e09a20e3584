import { describe, expect, it } from "vitest"
import { parseDatabaseUrl, withoutPassword } from "./database-url.ts"

describe(parseDatabaseUrl, () => {
  it.each([
    ["embedded:", { kind: "embedded", dir: "./.tasker" }],
    ["embedded:./here", { kind: "embedded", dir: "./here" }],
    ["embedded:/abs/dir", { kind: "embedded", dir: "/abs/dir" }],
    ["embedded:///abs/dir", { kind: "embedded", dir: "/abs/dir" }],
    ["EMBEDDED:dir", { kind: "embedded", dir: "dir" }],
    ["pglite:", { kind: "pglite", dir: "./.tasker" }],
    ["pglite:./here", { kind: "pglite", dir: "./here" }],
    ["pglite:memory", { kind: "pglite", dir: undefined }],
    ["pglite:memory://", { kind: "pglite", dir: undefined }],
  ])("reads %s", (url, expected) => {
    expect(parseDatabaseUrl(url)).toEqual(expected)
  })

  it.each([
    ["postgres://ann:secret@db:5433/app", "postgres://ann@db:5433/app"],
    ["postgresql://ann:secret@db/app?sslmode=verify-full", "postgresql://ann@db/app?sslmode=verify-full"],
    ["postgres://db/app?user=ann&password=secret", "postgres://db/app?user=ann"],
    ["postgres://ann:secret@/app?host=/run/postgresql", "postgres://ann@/app?host=/run/postgresql"],
    ["postgres:///app?host=/run/postgresql&password=secret", "postgres:///app?host=%2Frun%2Fpostgresql"],
    ["postgres://ann:secret@%2Frun%2Fpostgresql/app", "postgres://ann@%2Frun%2Fpostgresql/app"],
    ["postgres://ann:p%40ss%2Fsecret@db", "postgres://ann@db"],
  ])("shows %s as %s", (url, displayUrl) => {
    expect(parseDatabaseUrl(url)).toEqual({ kind: "postgres", url, displayUrl })
    expect(withoutPassword(url)).not.toContain("secret")
  })
})
