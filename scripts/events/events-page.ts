import { ORIGINAL_EVENTS, type OriginalEvent } from "./original-events.ts"

/** What the page says of an event. */
export interface PageEvent {
  readonly name: string
  readonly category: string
  readonly origin: "transition" | "process"
  readonly when: string
  /** The JSON Schema of its payload. */
  readonly payload: Readonly<Record<string, unknown>>
  readonly example?: unknown
}

/** The page of the reference that lists the events, as Markdown. */
export function eventsPage(events: readonly PageEvent[]): string {
  const categories = [...new Set(events.map(({ category }) => category))]
  return [
    HEAD,
    contents(events, categories),
    ...categories.map((category) => categorySection(events.filter((event) => event.category === category))),
    originalSection(events),
  ].join("\n")
}

const HEAD = `<!-- Generated from packages/engine/src/core/events by \`npm run generate\`. Do not edit. -->

# Events

Everything that the engine tells, from its catalogue (\`EVENT_CATALOGUE\`, \`tasker.events.catalogue()\`). How to listen,
and how to publish events of your own: [the guide](../guides/events.md).

Each is published once per occurrence, after the change that it tells is committed. *In the feed* are those that follow
from a row of history: \`tasker.events.follow\` delivers them whichever process did it, and the process that did it
tells its own subscribers. All others are told only in the process where they happen.

The examples are what tests of this repository are told, with ids, times and hosts replaced.
`

function contents(events: readonly PageEvent[], categories: readonly string[]): string {
  const lines = categories.map((category) => {
    const names = events
      .filter((event) => event.category === category)
      .map(({ name }) => `[${name}](#${anchorOf(name)})`)
    return `**${titleOf(category)}:** ${names.join(" · ")}\n`
  })
  return `${lines.join("\n")}\n`
}

function categorySection(events: readonly PageEvent[]): string {
  return `## ${titleOf(events[0]?.category ?? "")}\n\n${events.map(eventSection).join("\n")}`
}

function eventSection({ name, origin, when, payload, example }: PageEvent): string {
  const { properties } = payload as { readonly properties: Readonly<Record<string, Field>> }
  const rows = Object.entries(properties).map(([key, field]) => {
    return `| \`${key}\` | ${typeOf(field)} | ${field.description ?? ""} |`
  })
  return [
    `### ${name}`,
    "",
    `${sentence(when)} ${origin === "transition" ? "*In the feed.*" : "*In this process only.*"}`,
    "",
    "| field | type | |",
    "| --- | --- | --- |",
    ...rows,
    "",
    ...(example === undefined ? [] : ["```json", JSON.stringify(example, undefined, 2), "```", ""]),
  ].join("\n")
}

interface Field {
  readonly type?: string
  readonly description?: string
  readonly enum?: readonly string[]
  readonly anyOf?: readonly Field[]
  readonly items?: Field
  readonly properties?: Readonly<Record<string, Field>>
}

/** A JSON Schema in few words: `text or null`. */
function typeOf({ type, enum: values, anyOf, items, properties }: Field): string {
  if (anyOf !== undefined) return anyOf.map(typeOf).join(" or ")
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(", ")
  if (items !== undefined) return `list of ${typeOf(items)}`
  if (properties !== undefined) return `{ ${Object.keys(properties).join(", ")} }`
  return type === "string" ? "text" : (type ?? "anything")
}

function originalSection(events: readonly PageEvent[]): string {
  const known = new Set(events.map(({ name }) => name))
  const kept = ORIGINAL_EVENTS.filter(({ isPublished }) => isPublished).length
  return `## Events of the original

Tasker for Ruby had ${ORIGINAL_EVENTS.length} events. ${kept} are published under their names; what the others meant does not exist here any more, or is told by another event.

| event | here |
| --- | --- |
${ORIGINAL_EVENTS.map((event) => originalRow(event, known)).join("\n")}
`
}

function originalRow(event: OriginalEvent, known: ReadonlySet<string>): string {
  const link = (name: string): string => (known.has(name) ? `[${name}](#${anchorOf(name)})` : `\`${name}\``)
  if (event.isPublished) return `| \`${event.name}\` | ${link(event.name)} |`
  const told = event.toldBy.length === 0 ? "" : ` → ${event.toldBy.map(link).join(", ")}`
  return `| \`${event.name}\` | dropped: ${event.reason}${told} |`
}

/** As Markdown makes the link to a heading. */
function anchorOf(name: string): string {
  return name.replaceAll(".", "")
}

function titleOf(category: string): string {
  return `${category.charAt(0).toUpperCase()}${category.slice(1)} events`
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
