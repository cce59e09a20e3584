import { readdir, readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { TaskerError } from "../../core/error.ts"
import type { Subscriber } from "../../core/events/subscriber.ts"
import { parseSubscriptions, type SubscriptionHandlers, type SubscriptionText } from "./parse-subscriptions.ts"

/**
 * Reads subscriptions from a YAML file, or from those of a folder, and makes subscribers of them, to be registered.
 *
 * @param path - a file; or a folder, whose `.yaml`, `.yml` and `.json` files are read in the order of their names
 * @param handlers - the functions that they name. It may hold more than they need
 * @throws TaskerError `TASKER_SUBSCRIPTION_FILE_INVALID` when a file cannot be read, or has mistakes: all of them, of all
 *   files, are in `details.problems`, with line and column
 *
 * @example
 * ```ts
 * const subscribers = await loadSubscriptions("subscriptions", { "alerts.page": page })
 * for (const subscriber of subscribers) tasker.subscribers.register(subscriber)
 * ```
 */
export async function loadSubscriptions(path: string, handlers: SubscriptionHandlers): Promise<readonly Subscriber[]> {
  const files = await filesOf(path)
  return parseSubscriptions(await Promise.all(files.map(readText)), handlers)
}

async function filesOf(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path]
    const names = (await readdir(path)).filter((name) => /\.(?:ya?ml|json)$/.test(name))
    return names.toSorted((one, other) => (one < other ? -1 : 1)).map((name) => join(path, name))
  } catch (error) {
    throw unreadable(path, error)
  }
}

async function readText(file: string): Promise<SubscriptionText> {
  try {
    return { file, text: new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file)) }
  } catch (error) {
    throw unreadable(file, error)
  }
}

function unreadable(file: string, cause: unknown): TaskerError {
  const reason =
    cause instanceof Error && "code" in cause && cause.code === "ENOENT" ? "there is no such file" : String(cause)
  return new TaskerError("TASKER_SUBSCRIPTION_FILE_INVALID", `subscriptions "${file}" cannot be read: ${reason}`, {
    cause,
    details: { file, problems: [] },
  })
}
