import { fileURLToPath } from "node:url"
import { checkOptions } from "../../core/check-options.ts"
import { messageOf } from "../../core/describe-value.ts"
import { isTaskerError, TaskerError } from "../../core/error.ts"
import { flagRule, type OptionRule, timeoutRule } from "../../core/option-rules.ts"
import { REGISTER_RULES, type RegisterOptions } from "../registry.ts"
import type { DiscoveredEntry, DiscoveryFailure, OnRegistryChange, RegistryName } from "../registry-change.ts"
import type { FoundExport } from "./find-exports.ts"
import { listModules } from "./list-modules.ts"

export interface DiscoverOptions extends Pick<RegisterOptions, "replace" | "correlationId"> {
  /** Whether folders inside the folder are searched too, those named `node_modules` apart. Default: false. */
  readonly recursive?: boolean | undefined
  /** Whether a file that cannot be used is an error, once all others are registered. Default: false. */
  readonly strict?: boolean | undefined
  /** How long the top level of one module may take, in milliseconds. Default: 30,000. */
  readonly timeoutMs?: number | undefined
}

/** What came of searching a folder. */
export interface Discovery {
  /** What stands in the registry because of these files, in the order in which it was registered. */
  readonly registered: readonly DiscoveredEntry[]
  /** The files that could not be used, or of which a part could not. */
  readonly failures: readonly DiscoveryFailure[]
}

/** A file of a folder, and how it is read. */
export interface FoundFile {
  readonly file: string
  /** Paths of all files that are loaded, this one included. */
  readonly files: readonly string[]
  readonly timeoutMs: number
}

export interface DiscoveryTarget {
  readonly registry: RegistryName
  readonly extensions: readonly string[]
  /** What a file holds, to be registered. Throws why it holds nothing. */
  readonly load: (found: FoundFile) => Promise<readonly FoundExport[]>
  /** Registers whatever was found, checks its shape, and returns its key. */
  readonly register: (value: object, options: RegisterOptions) => string
  readonly onChange: OnRegistryChange
}

export const DISCOVER_RULES = {
  recursive: flagRule,
  replace: REGISTER_RULES.replace,
  correlationId: REGISTER_RULES.correlationId,
  strict: flagRule,
  timeoutMs: timeoutRule,
}

export const folderRule: OptionRule = {
  rule: "a path or a file: URL",
  accepts: (value) =>
    (typeof value === "string" && value !== "") || (value instanceof URL && value.protocol === "file:"),
}

/**
 * Loads the files of a folder one after another, sorted by path, and registers
 * what they export. A file that cannot be used keeps no other from being used.
 *
 * @param options - checked by the caller
 * @throws TaskerError `TASKER_DISCOVERY_FAILED` when a file cannot be used and `strict` is set
 */
export async function discoverFolder(
  target: DiscoveryTarget,
  folder: string | URL,
  options: DiscoverOptions,
): Promise<Discovery> {
  checkOptions("discover", { folder }, { folder: folderRule }, "TASKER_OPTION_INVALID")
  const startedAt = performance.now()
  const path = typeof folder === "string" ? folder : fileURLToPath(folder)
  const discovery = await loadFolder(target, path, options)
  const { failures } = discovery
  target.onChange({
    registry: target.registry,
    operation: failures.length === 0 ? "discovery_completed" : "discovery_failed",
    folder: path,
    ...discovery,
    durationMs: performance.now() - startedAt,
    correlationId: options.correlationId ?? null,
  })
  if (failures.length > 0 && options.strict === true) throw discoveryFailed(path, discovery)
  return discovery
}

async function loadFolder(target: DiscoveryTarget, folder: string, options: DiscoverOptions): Promise<Discovery> {
  const { recursive = false, timeoutMs = 30_000 } = options
  let files: readonly string[]
  try {
    files = await listModules(folder, { extensions: target.extensions, recursive })
  } catch (error) {
    return { registered: [], failures: [failure(folder, null, unreadable(folder, error))] }
  }
  const registered: DiscoveredEntry[] = []
  const failures: DiscoveryFailure[] = []
  // One after another, so that they register in the order of their paths.
  for (const file of files) {
    try {
      const found = await target.load({ file, files, timeoutMs })
      const part = registerExports(target, file, found, options)
      registered.push(...part.registered)
      failures.push(...part.failures)
    } catch (error) {
      failures.push(failure(file, null, error))
    }
  }
  return { registered, failures }
}

function registerExports(
  target: DiscoveryTarget,
  file: string,
  found: readonly FoundExport[],
  { replace, correlationId }: DiscoverOptions,
): Discovery {
  const registered: DiscoveredEntry[] = []
  const failures: DiscoveryFailure[] = []
  for (const { exportName, value } of found) {
    try {
      registered.push({ key: target.register(value, { replace, correlationId, source: file }), file })
    } catch (error) {
      failures.push(failure(file, exportName, error))
    }
  }
  return { registered, failures }
}

function failure(file: string, exportName: string | null, thrown: unknown): DiscoveryFailure {
  if (isTaskerError(thrown)) return { file, exportName, error: thrown }
  const message = messageOf(thrown)
  const error = new TaskerError("TASKER_DISCOVERY_FAILED", `file "${file}" cannot be used: ${message}`, {
    cause: thrown,
    details: { file },
  })
  return { file, exportName, error }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such folder",
  ENOTDIR: "it is no folder",
  EACCES: "permission is denied",
}

function unreadable(folder: string, error: unknown): TaskerError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown"
  return new TaskerError("TASKER_DISCOVERY_FAILED", `folder "${folder}" cannot be read: ${REASONS[code] ?? code}`, {
    hint: code === "ENOENT" ? "give a path that is right from the working directory, or an absolute one" : undefined,
    cause: error,
    details: { folder, code },
  })
}

function discoveryFailed(folder: string, { registered, failures }: Discovery): TaskerError {
  const lines = failures.map(({ file, exportName, error }) => {
    return `\n  ${file}${exportName === null ? "" : ` (${exportName})`}: ${error.message}`
  })
  const count = failures.length === 1 ? "a failure" : `${failures.length} failures`
  return new TaskerError("TASKER_DISCOVERY_FAILED", `folder "${folder}" was searched with ${count}:${lines.join("")}`, {
    hint: "correct the files listed, or leave `strict` out to go on without them",
    cause: failures[0]?.error,
    details: {
      folder,
      registered,
      failures: failures.map(({ file, exportName, error: { code, message } }) => ({ file, exportName, code, message })),
    },
  })
}
