/**
 * Takes out of an example's output what differs from run to run: times, ports, where the database is, how long the
 * bars of a chart are, and in which order things happened that happened at the same time.
 */
export function normalizeOutput(output: string): string {
  const lines = output.split("\n").map((line) => normalizeLine(line).trimEnd())
  return sortFeeds(lines).join("\n")
}

function normalizeLine(line: string): string {
  return (
    line
      .replace(/^(database +).*/, "$1<database>")
      .replaceAll(/127\.0\.0\.1:\d+/g, "<host>")
      // Who is first gets the first number.
      .replaceAll(/\border \d+/g, "order <id>")
      .replace(/^( +)╵.*/, "$1<scale>")
      .replace(/^( {4}\w+) +[█✗░·◆][ █✗░·◆]*/, "$1 <bar> ")
      // How many steps overlap depends on how soon a retry comes.
      .replace(/^(\w+_workflow(?: +\d+){3}) +[2-9](?= )/, "$1 many")
      .replaceAll(/ *\b\d+(\.\d+)? (s|ms)\b/g, " <time>")
      .replace(/^ +<time>/, "<time>")
  )
}

const FEED_LINE = /^<time> +(?<order>#\d+) +(?<step>\w*)/

/** Steps of different orders, and parallel steps of one, end in any order; the attempts of one step do not. */
function sortFeeds(lines: readonly string[]): readonly string[] {
  const sorted: string[] = []
  let feed: string[] = []
  for (const line of lines) {
    if (FEED_LINE.test(line)) {
      feed.push(line)
      continue
    }
    sorted.push(...feed.toSorted(byOrderAndStep), line)
    feed = []
  }
  return [...sorted, ...feed.toSorted(byOrderAndStep)]
}

function byOrderAndStep(a: string, b: string): number {
  return keyOf(a).localeCompare(keyOf(b))
}

function keyOf(line: string): string {
  const { order = "", step = "" } = FEED_LINE.exec(line)?.groups ?? {}
  return `${order} ${step}`
}
