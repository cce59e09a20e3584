import type { JsonSchema } from "../../core/schema.ts"
import { type FileKey, type FileMap, WORKFLOW } from "./file-keys.ts"

/**
 * The JSON Schema of a workflow file, for editors. Committed as
 * `workflow.schema.json`, and compared with the committed file by a test.
 *
 * It knows no graph: whether a dependency is declared, and whether there is a
 * cycle, only the loader can say.
 */
export function workflowFileSchema(): JsonSchema {
  return fileSchema(WORKFLOW, {
    title: "Tasker workflow",
    description: "A workflow of Tasker: its steps, what they depend on, and how they run.",
  })
}

/** The JSON Schema of a file whose root is a map. */
export function fileSchema(file: FileMap, about: { readonly title: string; readonly description: string }): JsonSchema {
  const maps = new Map<string, JsonSchema>()
  const root = mapSchema(file, maps)
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    ...about,
    ...root,
    $defs: Object.fromEntries(maps),
  }
}

/** The schema of a map. Those that it holds are added to `maps`, by name. */
function mapSchema(map: FileMap, maps: Map<string, JsonSchema>): JsonSchema {
  const properties = Object.entries(map.keys).map(([name, key]) => [name, keySchema(key, maps)])
  return {
    type: "object",
    ...(map.required.length > 0 ? { required: map.required } : {}),
    properties: Object.fromEntries(properties),
    additionalProperties: false,
    ...map.schema,
  }
}

function keySchema({ description, schema, holds }: FileKey, maps: Map<string, JsonSchema>): JsonSchema {
  if (holds === undefined) return { description, ...schema }
  const { as, map } = holds
  if (!maps.has(map.name)) maps.set(map.name, mapSchema(map, maps))
  const reference = { $ref: `#/$defs/${map.name}` }
  switch (as) {
    case "map":
      return { description, ...schema, ...reference }
    case "list":
      return { description, ...schema, items: reference }
    case "names":
      return { description, ...schema, additionalProperties: reference }
  }
}
