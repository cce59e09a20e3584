import { TaskerError } from "../core/error.ts"
import type { Exporter } from "../core/exporter.ts"
import { didYouMean } from "../core/names.ts"
import { assertPlugin } from "./assert-plugin.ts"
import { nameOf } from "./check-members.ts"
import { createIndex } from "./create-index.ts"
import { discoverExports } from "./discovery/discover-exports.ts"
import type { DiscoverOptions, Discovery } from "./discovery/discover-folder.ts"
import type { Wanted } from "./discovery/find-exports.ts"
import { createRegistry, type RegisterOptions, type RegistryStats, type UnregisterOptions } from "./registry.ts"
import type { OnRegistryChange } from "./registry-change.ts"

export interface PluginRegistryStats extends RegistryStats {
  readonly formatCount: number
  /** How many plugins write each format. */
  readonly pluginCountByFormat: Readonly<Record<string, number>>
}

/** The plugins of this process, by name and by format. */
export interface PluginRegistry {
  /**
   * Adds a plugin. One that is there already changes nothing.
   *
   * @throws TaskerError `TASKER_PLUGIN_INVALID` when members are missing or misshapen: it names all of them
   * @throws TaskerError `TASKER_NAME_TAKEN` when another one has its name, unless `replace` is set
   */
  register(plugin: Exporter, options?: RegisterOptions): Exporter
  /** Whether there was one. */
  unregister(name: string, options?: UnregisterOptions): boolean
  /** @throws TaskerError `TASKER_PLUGIN_NOT_FOUND`, with the names there are in `details.names` */
  get(name: string): Exporter
  /** As {@link get}, but `undefined` when there is none. */
  find(name: string): Exporter | undefined
  /**
   * The plugin that writes a format, whatever its case. When several do, the one whose name came last, so that a user's
   * takes precedence over a built-in one.
   *
   * @throws TaskerError `TASKER_PLUGIN_NOT_FOUND`, with the formats there are in `details.formats`
   */
  getByFormat(format: string): Exporter
  /** Every plugin that writes a format, whatever its case; the one that {@link getByFormat} gives is the first. */
  findByFormat(format: string): readonly Exporter[]
  /** In the order in which their names came. A list that was returned never changes. */
  list(): readonly Exporter[]
  /** In lower case, sorted. */
  formats(): readonly string[]
  stats(): PluginRegistryStats
  /**
   * Registers every plugin that the modules of a folder export.
   *
   * @throws TaskerError `TASKER_DISCOVERY_FAILED` when a file cannot be used and `strict` is set
   */
  discover(folder: string | URL, options?: DiscoverOptions): Promise<Discovery>
}

export interface PluginRegistryOptions {
  /** Told of every operation. */
  readonly onChange: OnRegistryChange
}

/** Makes an empty registry of plugins. */
export function createPluginRegistry({ onChange }: PluginRegistryOptions): PluginRegistry {
  const registry = createRegistry<Exporter>({
    registry: "plugin",
    kind: "plugin",
    toEntry: (plugin) => {
      assertPlugin(plugin)
      return plugin
    },
    keyOf: ({ name }) => name,
    labelOf: nameOf,
    factsOf: (plugin) => ({ name: plugin.name, version: plugin.version ?? null, formats: formatsOf(plugin) }),
    differenceOf: describeStanding,
    invalidCode: "TASKER_PLUGIN_INVALID",
    conflictCode: "TASKER_NAME_TAKEN",
    conflictHint: "give it another name, or pass `replace: true`",
    onChange,
  })
  const index = createIndex(registry.list, indexFormats)

  function get(name: string): Exporter {
    const found = registry.get(name)
    if (found !== undefined) return found
    const names = registry.list().map((plugin) => plugin.name)
    throw notFound(`no plugin is named "${name}"`, didYouMean(name, names), { name, names })
  }

  function findByFormat(format: string): readonly Exporter[] {
    return index().get(format.toLowerCase()) ?? []
  }

  function getByFormat(format: string): Exporter {
    const [found] = findByFormat(format)
    if (found !== undefined) return found
    const formats = [...index().keys()].toSorted()
    throw notFound(`no plugin writes the format "${format}"`, didYouMean(format, formats), { format, formats })
  }

  function stats(): PluginRegistryStats {
    const byFormat = [...index()].map(([format, plugins]) => [format, plugins.length] as const)
    return {
      ...registry.stats(),
      formatCount: byFormat.length,
      pluginCountByFormat: Object.fromEntries(byFormat),
    }
  }

  // Whatever was found, its shape is checked when it is registered.
  const registerFound = (value: object, how: RegisterOptions): string => registry.register(value as Exporter, how).name
  const target = { registry: "plugin", wanted: WANTED, register: registerFound, onChange } as const

  return Object.freeze({
    register: registry.register,
    unregister: (name: string, options?: UnregisterOptions) => registry.unregister(name, options) !== undefined,
    get,
    find: registry.get,
    getByFormat,
    findByFormat,
    list: registry.list,
    formats: () => [...index().keys()].toSorted(),
    stats,
    discover: async (folder: string | URL, options?: DiscoverOptions) => await discoverExports(target, folder, options),
  })
}

const WANTED: Wanted = {
  kind: "plugin",
  members: "name, formats and export",
  isMeant: (value) => "formats" in value || "export" in value,
}

function formatsOf(plugin: Exporter): readonly string[] {
  return [...new Set(plugin.formats.map((format) => format.toLowerCase()))]
}

function indexFormats(plugins: readonly Exporter[]): ReadonlyMap<string, readonly Exporter[]> {
  const index = new Map<string, Exporter[]>()
  // The one that came last is found first.
  for (const plugin of plugins.toReversed()) {
    for (const format of formatsOf(plugin)) index.set(format, [...(index.get(format) ?? []), plugin])
  }
  return index
}

function describeStanding(standing: Exporter): string {
  const version = standing.version === undefined ? "" : `version ${standing.version} `
  return `${version}for ${formatsOf(standing).join(", ")}`
}

function notFound(message: string, hint: string | undefined, details: Readonly<Record<string, unknown>>): TaskerError {
  return new TaskerError("TASKER_PLUGIN_NOT_FOUND", message, {
    hint: hint ?? "register it, or check its name",
    details,
  })
}
