import { didYouMean } from "../../core/names.ts"
import { type FileKeys, type FileMap, WORKFLOW } from "./file-keys.ts"
import { type LocatedProblem, problemAt } from "./file-problem.ts"
import type { Located } from "./located.ts"

/** Every key of a file that means nothing where it stands, with the one that was likely meant. */
export function unknownKeys(root: Located, file: FileMap = WORKFLOW): readonly LocatedProblem[] {
  return inMap(root, file, file)
}

function inMap(node: Located, map: FileMap, file: FileMap): readonly LocatedProblem[] {
  // That it should be a map is said where values are checked.
  if (node.kind !== "map") return []
  return [...node.entries].flatMap(([key, { keyAt, value }]) => {
    const known = Object.hasOwn(map.keys, key) ? map.keys[key] : undefined
    if (known === undefined) {
      const message = `unknown key "${key}"${map === file ? "" : ` in ${articleOf(map.name)} ${map.name}`}`
      return [problemAt(keyAt, value.segments, message, suggestKey(key, map))]
    }
    const { holds } = known
    return holds === undefined ? [] : heldMaps(value, holds.as).flatMap((held) => inMap(held, holds.map, file))
  })
}

function heldMaps(node: Located, as: "map" | "list" | "names"): readonly Located[] {
  if (as === "map") return [node]
  if (as === "list") return node.kind === "list" ? node.items : []
  return node.kind === "map" ? [...node.entries.values()].map(({ value }) => value) : []
}

function suggestKey(key: string, map: FileMap): string {
  if (map.name === "environment" && Object.hasOwn(WORKFLOW.keys, key))
    return `"${key}" is the same in every environment`
  const alias = Object.entries(map.keys).find(([, { aliases }]) => aliases?.includes(key.toLowerCase()) === true)
  if (alias !== undefined) return `did you mean "${alias[0]}"?`
  return didYouMean(key, Object.keys(map.keys)) ?? `known keys: ${listOf(map.keys)}`
}

function listOf(keys: FileKeys): string {
  return Object.keys(keys).join(", ")
}

function articleOf(name: string): string {
  return /^[aeiou]/.test(name) ? "an" : "a"
}
