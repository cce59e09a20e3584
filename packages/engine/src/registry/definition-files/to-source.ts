import { type FileMap, optionName, WORKFLOW } from "./file-keys.ts"
import { type Located, toPlain } from "./located.ts"

/**
 * A workflow as the builder would be given it: keys in camelCase, but for those
 * inside `config` and `input`, which are the user's. Unknown keys are left out;
 * values are as they stand, right or wrong.
 */
export function toSource(root: Located): Readonly<Record<string, unknown>> {
  const { environments: _, ...source } = optionsOf(root, WORKFLOW)
  return source
}

function optionsOf(node: Located, map: FileMap): Readonly<Record<string, unknown>> {
  if (node.kind !== "map") return {}
  const options: Record<string, unknown> = {}
  for (const [key, { value }] of node.entries) {
    const known = Object.hasOwn(map.keys, key) ? map.keys[key] : undefined
    if (known !== undefined) options[optionName(key)] = valueOf(value, known.holds)
  }
  return options
}

function valueOf(node: Located, holds: FileMap["keys"][string]["holds"]): unknown {
  if (holds?.as === "map" && node.kind === "map") return optionsOf(node, holds.map)
  if (holds?.as !== "list" || node.kind !== "list") return toPlain(node)
  return node.items.map((item) => (item.kind === "map" ? optionsOf(item, holds.map) : toPlain(item)))
}
