import type { JsonSchema } from "../../core/schema.ts"
import { fileSchema } from "../definition-files/workflow-file-schema.ts"
import { SUBSCRIPTIONS } from "./subscription-keys.ts"

/** The JSON Schema of a file of subscriptions, for editors. Committed as `subscriptions.schema.json`, and compared by a test. */
export function subscriptionFileSchema(): JsonSchema {
  return fileSchema(SUBSCRIPTIONS, {
    title: "Tasker subscriptions",
    description: "Who is told of which events of Tasker.",
  })
}
