import { parse } from "node:path"
import { checkOptions } from "../../core/check-options.ts"
import type { AnyWorkflow } from "../../core/workflow.ts"
import { loadWorkflow } from "../definition-files/load-workflow.ts"
import type { HandlersByName } from "../definition-files/parse-workflow.ts"
import type { RegisterOptions } from "../registry.ts"
import type { OnRegistryChange } from "../registry-change.ts"
import {
  DISCOVER_RULES,
  discoverFolder,
  type DiscoverOptions,
  type Discovery,
  type FoundFile,
} from "./discover-folder.ts"
import { findExports, type FoundExport, nothingFound, type Wanted } from "./find-exports.ts"
import { importModule } from "./import-module.ts"
import { MODULE_EXTENSIONS } from "./list-modules.ts"

export interface DiscoverWorkflowsOptions extends DiscoverOptions {
  /** The functions that the steps of YAML files name, beside those of the module beside each. Default: none. */
  readonly handlers?: HandlersByName | undefined
  /** Which of the `environments` of YAML files to apply; a file that declares none stands as it is. Default: none. */
  readonly environment?: string | undefined
}

export interface WorkflowTarget {
  readonly register: (workflow: AnyWorkflow, options: RegisterOptions) => { readonly workflow: AnyWorkflow }
  readonly keyOf: (workflow: AnyWorkflow) => string
  readonly onChange: OnRegistryChange
}

export const WORKFLOW_RULES = {
  ...DISCOVER_RULES,
  handlers: {
    rule: "an object of functions by name",
    accepts: (value: unknown) =>
      typeof value === "object" && value !== null && Object.values(value).every((one) => typeof one === "function"),
  },
  environment: { rule: "text", accepts: (value: unknown) => typeof value === "string" },
}

const WANTED: Wanted = {
  kind: "workflow",
  members: "namespace, name, version, definition and steps",
  isMeant: (value) => "definition" in value && "steps" in value,
}

const YAML_EXTENSIONS: readonly string[] = [".yaml", ".yml"]

/** Registers the workflows of a folder: of modules, and of YAML files. */
export async function discoverWorkflows(
  target: WorkflowTarget,
  folder: string | URL,
  options: DiscoverWorkflowsOptions = {},
): Promise<Discovery> {
  checkOptions("discover", options, WORKFLOW_RULES, "TASKER_OPTION_INVALID")
  const { onChange } = target
  const load = async (found: FoundFile): Promise<readonly FoundExport[]> =>
    isYaml(found.file) ? await loadYaml(found, options) : await loadModule(found)
  const register = (value: object, how: RegisterOptions): string =>
    // Whatever was found, its shape is checked when it is registered.
    target.keyOf(target.register(value as AnyWorkflow, how).workflow)
  const extensions = [...MODULE_EXTENSIONS, ...YAML_EXTENSIONS]
  return await discoverFolder({ registry: "handler", extensions, load, register, onChange }, folder, options)
}

async function loadYaml(found: FoundFile, options: DiscoverWorkflowsOptions): Promise<readonly FoundExport[]> {
  const { file, files, timeoutMs } = found
  const beside = files.find((one) => !isYaml(one) && stemOf(one) === stemOf(file))
  const exports = beside === undefined ? {} : await importModule(beside, timeoutMs)
  const handlers = { ...options.handlers, ...functionsOf(exports) }
  const { environment } = options
  const workflow = await loadWorkflow(file, handlers, { environment, environmentOptional: true })
  return [{ exportName: null, value: workflow }]
}

async function loadModule({ file, files, timeoutMs }: FoundFile): Promise<readonly FoundExport[]> {
  const exports = await importModule(file, timeoutMs)
  const found = findExports(exports, WANTED)
  const isBesideYaml = files.some((one) => isYaml(one) && stemOf(one) === stemOf(file))
  const isUsed = isBesideYaml && Object.keys(functionsOf(exports)).length > 0
  if (found.length === 0 && !isUsed) throw nothingFound(file, exports, WANTED)
  return found
}

function functionsOf(exports: Readonly<Record<string, unknown>>): HandlersByName {
  const functions = Object.entries(exports).filter(([, value]) => typeof value === "function")
  // The file has no types to check them against.
  return Object.fromEntries(functions) as HandlersByName
}

function isYaml(file: string): boolean {
  return YAML_EXTENSIONS.includes(parse(file).ext)
}

function stemOf(file: string): string {
  return file.slice(0, -parse(file).ext.length)
}
