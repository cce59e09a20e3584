import { describe, expect, test } from "vitest"
import { isTaskerError } from "../../core/error.ts"
import type { FileProblem } from "./file-problem.ts"
import { parseWorkflow } from "./parse-workflow.ts"

/** `line:column message (hint)` of every mistake. */
function mistakes(text: string): readonly string[] {
  try {
    parseWorkflow(text, { file: "x.yaml", handlers: { ship: () => 1, thank: () => 1 } })
    return []
  } catch (error) {
    if (!isTaskerError(error, "TASKER_WORKFLOW_FILE_INVALID")) throw error
    const problems = error.details["problems"] as readonly FileProblem[]
    return problems.map(({ line, column, message, hint }) => {
      return `${line}:${column} ${message}${hint === undefined ? "" : ` (${hint})`}`
    })
  }
}

describe("mistakes in the events of a workflow file", () => {
  test("names, schemas and keys are all named at once, where they stand", () => {
    const text = `name: x
version: 1.0.0
events:
  order.shipped: { type: objct }
  task.shipped: {}
  shipped: {}
  order.lost: 7
steps:
  - name: ship
    events:
      Order.Late: { propertys: {} }
      order.shipped: {}
  - name: thank
    event: {}
  - name: thank_2
    handler: thank
    publishes: {}
`
    expect(mistakes(text)).toEqual([
      `4:26 "type" must be one of "array", "boolean", "integer", "null", "number", "object", "string", got "objct" (did you mean "object"?)`,
      expect.stringMatching(
        /^5:3 event "task\.shipped" would be one of the engine's.*\(begin it with a word of your own\)$/,
      ),
      `6:3 expected an event to be called by two to four names joined by ".", such as "order.shipped", got "shipped"`,
      `7:3 expected order.lost to be a JSON Schema, got 7`,
      `11:7 expected an event to be called by two to four names joined by ".", such as "order.shipped", got "Order.Late" (did you mean "order.late"?)`,
      `11:21 unknown keyword "propertys" (did you mean "properties"?)`,
      `12:7 event "order.shipped" is declared by the workflow already (declare it once, under the workflow)`,
      `14:5 unknown key "event" in a step (did you mean "events"?)`,
      `17:5 unknown key "publishes" in a step (did you mean "events"?)`,
    ])
  })

  test("an environment may give a step other events, and not the workflow", () => {
    const text = `name: x
version: 1.0.0
steps:
  - name: ship
environments:
  test:
    events: { order.shipped: {} }
    steps:
      - name: ship
        events: { order.lost: { type: 7 } }
`
    expect(mistakes(text)).toEqual([
      `7:5 unknown key "events" in an environment ("events" is the same in every environment)`,
      expect.stringMatching(/^10:39 "type" must be/),
    ])
  })
})
