/** What the page says of an attribute. */
export interface AttributeEntry {
  readonly type: string
  readonly on: string
  readonly meaning: string
}

/** The page of the reference that lists the attributes of spans, as Markdown. */
export function tracesPage(attributes: Readonly<Record<string, AttributeEntry>>): string {
  const rows = Object.entries(attributes).map(
    ([name, { type, on, meaning }]) => `| \`${name}\` | ${type} | ${on} | ${meaning} |`,
  )
  return `${HEAD}\n${rows.join("\n")}\n`
}

const HEAD = `<!-- Generated from packages/engine/src/tracing/trace-attributes.ts by \`npm run generate\`. Do not edit. -->

# Attributes of spans

The engine's spans, and the attributes that are its own: all begin with \`tasker.\`. [Tracing](../guides/tracing.md) says
how the spans hang together, and how to get them.

| span | kind | from | to |
| --- | --- | --- | --- |
| \`tasker.task.create <workflow>\` | PRODUCER | the call of \`createTask\` | its answer |
| \`tasker.tasks.create <workflow>\` | CLIENT | the call of \`createTasks\` | its answer |
| \`tasker.step <step>\` | CONSUMER | the worker was given the step | its handler returned, threw, ran out of time or was aborted |
| \`tasker.task <workflow>\` | INTERNAL | the task was created | it ended; both by the database's clock |
| \`GET\`, \`POST\`, … | CLIENT | the call of \`callApi\`, or of a step that is \`apiStep\` | its answer |

The last one has the attributes of the semantic conventions for HTTP clients: \`http.request.method\`, \`url.full\`
(without the query), \`server.address\`, \`server.port\`, \`http.response.status_code\`, \`error.type\`. A span that failed
has the status ERROR, \`error.type\` (the error's code, else its name) and an event \`exception\`, without secrets.

| attribute | type | on | meaning |
| --- | --- | --- | --- |`
