import { readdir, readFile } from "node:fs/promises"
import { basename, dirname } from "node:path"
import { TaskerError } from "../../core/error.ts"
import { didYouMean } from "../../core/names.ts"
import type { Workflow } from "../../core/workflow.ts"
import { type HandlersByName, parseWorkflow, type ParseWorkflowOptions } from "./parse-workflow.ts"

export type LoadWorkflowOptions = Pick<ParseWorkflowOptions, "environment" | "environmentOptional">

/**
 * Reads a workflow from a YAML file.
 *
 * @param handlers - the functions that its steps name, such as `{ "shop.charge_card": chargeCard }`. It may hold
 *   more than the file needs. A step that names no handler takes `namespace.step`, or else the one that is
 *   called as the step
 * @throws TaskerError `TASKER_WORKFLOW_FILE_INVALID` when the file cannot be read, or has mistakes: all of them
 *   are in `details.problems`, with line and column
 *
 * @example
 * ```ts
 * const processOrder = await loadWorkflow<OrderInput>("workflows/process_order.yaml", {
 *   "shop.price_cart": priceCart,
 *   "shop.charge_card": chargeCard,
 * }, { environment: "production" })
 * ```
 */
export async function loadWorkflow<Input = unknown, Results = Readonly<Record<string, unknown>>>(
  file: string,
  handlers: HandlersByName,
  options: LoadWorkflowOptions = {},
): Promise<Workflow<Input, Results>> {
  const text = await readText(file)
  return parseWorkflow(text, { ...options, file, handlers })
}

async function readText(file: string): Promise<string> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(file)
  } catch (error) {
    // What `fs` throws has a code.
    const code = (error as NodeJS.ErrnoException).code ?? "unknown"
    const reason = REASONS[code] ?? code
    throw new TaskerError("TASKER_WORKFLOW_FILE_INVALID", `workflow file "${file}" cannot be read: ${reason}`, {
      hint: code === "ENOENT" ? await suggestFile(file) : undefined,
      cause: error,
      details: { file, code, problems: [] },
    })
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch (error) {
    throw new TaskerError(
      "TASKER_WORKFLOW_FILE_INVALID",
      `workflow file "${file}" cannot be read: it is not text in UTF-8`,
      {
        cause: error,
        details: { file, problems: [] },
      },
    )
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "it is a folder",
  EACCES: "permission is denied",
}

async function suggestFile(file: string): Promise<string | undefined> {
  const neighbours = await readdir(dirname(file)).catch(() => [])
  const meant = didYouMean(
    basename(file),
    neighbours.filter((name) => /\.(?:ya?ml|json)$/.test(name)),
  )
  return meant ?? "give a path that is right from the working directory, or an absolute one"
}
