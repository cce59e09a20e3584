import { checkOptions } from "../../core/check-options.ts"
import {
  DISCOVER_RULES,
  discoverFolder,
  type DiscoverOptions,
  type Discovery,
  type DiscoveryTarget,
} from "./discover-folder.ts"
import { findExports, nothingFound, type Wanted } from "./find-exports.ts"
import { importModule } from "./import-module.ts"
import { MODULE_EXTENSIONS } from "./list-modules.ts"

export interface ExportsTarget extends Pick<DiscoveryTarget, "registry" | "register" | "onChange"> {
  readonly wanted: Wanted
}

/** Registers what the modules of a folder export; one that exports nothing that is wanted is a failure. */
export async function discoverExports(
  { wanted, ...target }: ExportsTarget,
  folder: string | URL,
  options: DiscoverOptions = {},
): Promise<Discovery> {
  checkOptions("discover", options, DISCOVER_RULES, "TASKER_OPTION_INVALID")
  const load: DiscoveryTarget["load"] = async ({ file, timeoutMs }) => {
    const exports = await importModule(file, timeoutMs)
    const found = findExports(exports, wanted)
    if (found.length === 0) throw nothingFound(file, exports, wanted)
    return found
  }
  return await discoverFolder({ ...target, extensions: MODULE_EXTENSIONS, load }, folder, options)
}
