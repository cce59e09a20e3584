/** What the page says of a code. */
export interface CodeEntry {
  readonly status: number
  readonly retryable: boolean
  readonly meaning: string
  readonly action?: string
}

/** The page of the reference that lists the errors, as Markdown. */
export function errorsPage(codes: Readonly<Record<string, CodeEntry>>): string {
  const sections = Object.entries(codes).map(([code, entry]) => section(code, entry))
  return `${HEAD}\n${sections.join("\n")}`
}

const HEAD = `<!-- Generated from packages/engine/src/core/error.ts by \`npm run generate\`. Do not edit. -->

# Errors

Every error that Tasker raises on purpose is a \`TaskerError\` with one of these codes. Branch on the code with
\`isTaskerError(error, "TASKER_TASK_NOT_FOUND")\`, not on the message. Codes are never renamed or reused.

*Status* is the HTTP status that the server answers with. *Retryable* says whether the same call may succeed later,
with nothing changed by the caller. \`message\` says what happened, \`hint\` what to do, \`details\` holds the values.
`

function section(code: string, { status, retryable, meaning, action }: CodeEntry): string {
  const lines = [
    `## ${code}`,
    "",
    `Status ${status}, ${retryable ? "retryable" : "not retryable"}.`,
    "",
    `${sentence(meaning)}`,
  ]
  return `${[...lines, ...(action === undefined ? [] : ["", `**What to do:** ${sentence(action)}`])].join("\n")}\n`
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
