import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { messageOf } from "../../core/describe-value.ts"
import { TaskerError } from "../../core/error.ts"

/**
 * Imports a module by the path of its file. Node reads a module once: what changed in the file since is not seen.
 *
 * @param timeoutMs - how long its top level may take
 * @returns its exports
 * @throws TaskerError `TASKER_DISCOVERY_FAILED` with the file and, in `cause`, what the module threw
 */
export async function importModule(file: string, timeoutMs: number): Promise<Readonly<Record<string, unknown>>> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TopLevelTimeout(`its top level took longer than ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    // A module is an object of its exports.
    const loading = import(pathToFileURL(resolve(file)).href) as Promise<Readonly<Record<string, unknown>>>
    return await Promise.race([loading, timeout])
  } catch (error) {
    const message = messageOf(error)
    throw new TaskerError("TASKER_DISCOVERY_FAILED", `file "${file}" cannot be loaded: ${message}`, {
      hint: hintOf(error, file),
      cause: error,
      details: { file },
    })
  } finally {
    clearTimeout(timer)
  }
}

class TopLevelTimeout extends Error {}

function hintOf(error: unknown, file: string): string | undefined {
  if (error instanceof TopLevelTimeout) return "await nothing at the top level of a module that may not come"
  // V8 keeps the line to itself.
  if (error instanceof SyntaxError) return `find the line with: node --check ${file}`
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined
  if (code === "ERR_UNKNOWN_FILE_EXTENSION") return "compile it to JavaScript, or run Node 22.18 or newer"
  if (code === "ERR_MODULE_NOT_FOUND") return "install what the module imports, or correct the path"
  return undefined
}
