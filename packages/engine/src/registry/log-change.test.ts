import { expect, test } from "vitest"
import { TaskerError } from "../core/error.ts"
import type { Logger } from "../core/logger.ts"
import { logChange } from "./log-change.ts"
import type { RegistryChange } from "./registry-change.ts"

function linesOf(change: RegistryChange): readonly (readonly [level: string, message: string, fields: object])[] {
  const lines: [string, string, object][] = []
  const at = (level: string) => (fields: object, message: string) => void lines.push([level, message, fields])
  const logger: Logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") }
  logChange(logger, change)
  return lines
}

const origin = { registry: "plugin", correlationId: "c-1" } as const
const entry = { ...origin, key: "csv", source: "plugins/csv.js", facts: { name: "csv", formats: ["csv"] } }
const error = new TaskerError("TASKER_NAME_TAKEN", "it is taken", { hint: "choose another" })

test.each<readonly [RegistryChange, string, string, object]>([
  [
    { ...entry, operation: "registered" },
    "info",
    "registry: plugin registered",
    {
      registry: "plugin",
      operation: "registered",
      correlationId: "c-1",
      key: "csv",
      source: "plugins/csv.js",
      name: "csv",
      formats: ["csv"],
    },
  ],
  [
    { ...entry, operation: "replaced", replaced: { source: null, facts: { name: "csv" } } },
    "info",
    "registry: plugin replaced",
    { operation: "replaced", key: "csv", replaced: { source: null, facts: { name: "csv" } } },
  ],
  [
    { ...entry, operation: "unregistered" },
    "info",
    "registry: plugin unregistered",
    { operation: "unregistered", key: "csv" },
  ],
  [
    { ...origin, operation: "validation_failed", key: null, source: null, error },
    "warn",
    "registry: plugin refused",
    {
      operation: "validation_failed",
      key: null,
      error: { code: "TASKER_NAME_TAKEN", message: "it is taken", hint: "choose another" },
    },
  ],
  [
    {
      ...origin,
      operation: "discovery_completed",
      folder: "plugins",
      registered: [{ key: "csv", file: "plugins/csv.js" }],
      failures: [],
      durationMs: 5,
    },
    "info",
    "registry: folder searched",
    { operation: "discovery_completed", folder: "plugins", registered: ["csv"], durationMs: 5, correlationId: "c-1" },
  ],
  [
    {
      ...origin,
      operation: "discovery_failed",
      folder: "plugins",
      registered: [],
      failures: [{ file: "plugins/csv.js", exportName: "csv", error }],
      durationMs: 5,
    },
    "warn",
    "registry: folder searched, with failures",
    {
      operation: "discovery_failed",
      failures: [{ file: "plugins/csv.js", exportName: "csv", code: "TASKER_NAME_TAKEN", message: "it is taken" }],
    },
  ],
])("$operation is one line: %#", (change, level, message, fields) => {
  expect(linesOf(change)).toEqual([[level, message, expect.objectContaining(fields)]])
})

test("what is not known is left out of the line", () => {
  const [line] = linesOf({ ...entry, operation: "registered", source: null, correlationId: null })
  expect(Object.keys(line?.[2] ?? {})).toEqual(["registry", "operation", "key", "name", "formats"])
})
