import { checkOptions } from "../core/check-options.ts"
import type { Subscriber } from "../core/events/subscriber.ts"
import type { Exporter } from "../core/exporter.ts"
import { BUILT_IN_EXPORTERS } from "../core/exporters/built-in-exporters.ts"
import type { AnyWorkflow } from "../core/workflow.ts"
import { type DiscoverOptions, folderRule } from "./discovery/discover-folder.ts"
import { type DiscoverWorkflowsOptions, WORKFLOW_RULES } from "./discovery/discover-workflows.ts"
import { createHandlerRegistry, type HandlerRegistry } from "./handler-registry.ts"
import { createPluginRegistry, type PluginRegistry } from "./plugin-registry.ts"
import type { OnRegistryChange } from "./registry-change.ts"
import { createSubscriberRegistry, type SubscriberRegistry } from "./subscriber-registry.ts"

/** The folders that are searched at the start, and how. */
export interface DiscoveryFolders extends Omit<DiscoverWorkflowsOptions, "replace" | "correlationId"> {
  /** Modules and YAML files of workflows. Default: none is searched. */
  readonly workflows?: string | URL | undefined
  /** Modules of plugins. Default: none is searched. */
  readonly plugins?: string | URL | undefined
  /** Modules of subscribers. Default: none is searched. */
  readonly subscribers?: string | URL | undefined
}

/** What a process knows from the start. */
export interface RegistryContents {
  readonly workflows?: readonly AnyWorkflow[] | undefined
  readonly plugins?: readonly Exporter[] | undefined
  readonly subscribers?: readonly Subscriber[] | undefined
  readonly discover?: DiscoveryFolders | undefined
}

export interface Registries {
  readonly workflows: HandlerRegistry
  readonly plugins: PluginRegistry
  readonly subscribers: SubscriberRegistry
}

export interface RegistriesOptions extends Pick<Parameters<typeof createSubscriberRegistry>[0], "connect"> {
  readonly onChange: OnRegistryChange
}

/** Makes the three registries of a process, empty. */
export function createRegistries({ onChange, connect }: RegistriesOptions): Registries {
  return {
    workflows: createHandlerRegistry({ onChange }),
    plugins: createPluginRegistry({ onChange }),
    subscribers: createSubscriberRegistry({ onChange, connect }),
  }
}

/**
 * Registers what a process knows from the start, subscribers before what is not built in: they hear of it. What was
 * passed comes before what is found in folders.
 *
 * @throws TaskerError of the registries, and `TASKER_CONFIG_INVALID` when an option of `discover` is unknown or misshapen
 */
export async function fillRegistries(registries: Registries, contents: RegistryContents): Promise<void> {
  const { workflows = [], plugins = [], subscribers = [], discover = {} } = contents
  checkOptions("discover", discover, FOLDER_RULES, "TASKER_CONFIG_INVALID")
  for (const exporter of BUILT_IN_EXPORTERS) registries.plugins.register(exporter)
  for (const subscriber of subscribers) registries.subscribers.register(subscriber)
  for (const plugin of plugins) registries.plugins.register(plugin)
  for (const workflow of workflows) registries.workflows.register(workflow)
  const { handlers, environment, recursive, strict, timeoutMs } = discover
  const how: DiscoverOptions = { recursive, strict, timeoutMs }
  if (discover.subscribers !== undefined) await registries.subscribers.discover(discover.subscribers, how)
  if (discover.plugins !== undefined) await registries.plugins.discover(discover.plugins, how)
  if (discover.workflows !== undefined) {
    await registries.workflows.discover(discover.workflows, { ...how, handlers, environment })
  }
}

const { replace: _replace, correlationId: _correlationId, ...HOW_RULES } = WORKFLOW_RULES
const FOLDER_RULES = { ...HOW_RULES, workflows: folderRule, plugins: folderRule, subscribers: folderRule }
