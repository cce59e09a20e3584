import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, describe, expect, test } from "vitest"

const script = fileURLToPath(new URL("check-lock-file.mjs", import.meta.url))

describe("check-lock-file", () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tasker-lock-"))
  })

  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  function lock(optionalDependencies: Readonly<Record<string, string>>): void {
    const packages = { "node_modules/tool": { version: "1.0.0", dev: true, optionalDependencies } }
    writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ packages }))
  }

  function check(...args: string[]): { status: number | null; stdout: string; stderr: string } {
    return spawnSync(process.execPath, [script, ...args], { cwd: folder, encoding: "utf8" })
  }

  test("passes when every optional dependency is locked", () => {
    lock({})

    expect(check()).toMatchObject({ status: 0, stdout: "saw 1 packages\n" })
  })

  test("names what is missing, and how to add it", () => {
    lock({ "@tool/darwin-arm64": "1.2.3" })

    expect(check()).toMatchObject({ status: 1, stdout: expect.stringContaining("has no @tool/darwin-arm64@1.2.3") })
    expect(check().stdout).toContain("--fix")
  })

  test("adds what is missing, with its platform", () => {
    lock({ "@tool/binding-linux-x64-musl": "1.2.3", "@tool/windows-x64": "1.2.3" })

    expect(check("--fix").status).toBe(0)
    expect(check().status).toBe(0)
    expect(JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"))).toMatchObject({
      packages: {
        "node_modules/@tool/binding-linux-x64-musl": { version: "1.2.3", dev: true, os: ["linux"], libc: ["musl"] },
        "node_modules/@tool/windows-x64": { version: "1.2.3", optional: true, os: ["win32"], cpu: ["x64"] },
      },
    })
  })

  test("does not guess a platform", () => {
    lock({ fsevents: "~2.3.3" })

    expect(check("--fix")).toMatchObject({ status: 1, stderr: expect.stringContaining("by hand") })
  })
})
