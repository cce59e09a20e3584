import { describe, expect, test } from "vitest"
import { eventsPage, type PageEvent } from "./events-page.ts"
import { ORIGINAL_EVENTS, originalProblems } from "./original-events.ts"

describe("ORIGINAL_EVENTS", () => {
  test("are the 51 of the original, each once, each dropped one with its reason", () => {
    expect(ORIGINAL_EVENTS).toHaveLength(51)
    expect(new Set(ORIGINAL_EVENTS.map(({ name }) => name)).size).toBe(51)
    for (const event of ORIGINAL_EVENTS) if (!event.isPublished) expect(event.reason).not.toBe("")
  })

  // The generator asks this of the real catalogue.
  test("claim nothing that the catalogue does not bear out", () => {
    const kept = ORIGINAL_EVENTS.filter(({ isPublished }) => isPublished).map(({ name }) => name)
    const told = ORIGINAL_EVENTS.flatMap((event) => (event.isPublished ? [] : event.toldBy)).map((name) =>
      name.replace("*", "x"),
    )
    const names = [...kept, ...told]
    expect(originalProblems(names)).toEqual([])
    expect(originalProblems([...names, "workflow.task_started"])).toEqual([
      `"workflow.task_started" is said to be dropped, and is an event`,
    ])
    expect(originalProblems(names.filter((name) => name !== "step.handle"))).toEqual([
      `"step.handle" is said to be published, and is no event`,
      `"observability.step.handle" is said to be told by "step.handle", which is no event`,
    ])
  })
})

describe("eventsPage", () => {
  const event: PageEvent = {
    name: "step.failed",
    category: "step",
    origin: "transition",
    when: "a step failed for good",
    payload: {
      properties: {
        step: { type: "string", description: "The step." },
        from: { enum: ["a", "b"], description: "Before." },
        attempt: { anyOf: [{ type: "integer" }, { type: "null" }], description: "Which." },
        names: { type: "array", items: { type: "string" } },
        error: {
          anyOf: [{ type: "object", properties: { name: {}, code: {} } }, { type: "null" }],
          description: "What.",
        },
      },
    },
    example: { name: "step.failed" },
  }

  test("each event has a section with what it says, its fields and its example", () => {
    expect(eventsPage([event])).toContain(`## Step events

### step.failed

A step failed for good. *In the feed.*

| field | type | |
| --- | --- | --- |
| \`step\` | text | The step. |
| \`from\` | \`a\`, \`b\` | Before. |
| \`attempt\` | integer or null | Which. |
| \`names\` | list of text |  |
| \`error\` | { name, code } or null | What. |

\`\`\`json
{
  "name": "step.failed"
}
\`\`\`
`)
  })

  test("one of a process says so, and the original's events are all listed", () => {
    const page = eventsPage([{ ...event, origin: "process" }])
    expect(page).toContain("*In this process only.*")
    for (const { name } of ORIGINAL_EVENTS) expect(page).toContain(`| \`${name}\` |`)
    expect(page).toContain("| `step.failed` | [step.failed](#stepfailed) |")
  })
})
