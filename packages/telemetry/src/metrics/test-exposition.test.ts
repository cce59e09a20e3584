import { expect, test } from "vitest"
import { parseExposition, valueOf } from "./test-exposition.ts"

const HISTOGRAM = [
  "# HELP h_seconds a",
  "# TYPE h_seconds histogram",
  'h_seconds_bucket{le="0.1"} 1',
  'h_seconds_bucket{le="+Inf"} 2',
  "h_seconds_sum 3.5",
  "h_seconds_count 2",
]

test("reads metrics with their labels unescaped", () => {
  const text = [
    "# HELP a_total x\\ny\\\\z",
    "# TYPE a_total counter",
    'a_total{b="\\"q\\" \\\\ \\n",c="d,e}"} 1.5e3',
    "",
  ]
  expect(parseExposition([...text, ...HISTOGRAM, ""].join("\n"))).toMatchObject([
    {
      name: "a_total",
      type: "counter",
      help: "x\ny\\z",
      samples: [{ name: "a_total", labels: { b: '"q" \\ \n', c: "d,e}" }, value: 1_500 }],
    },
    { name: "h_seconds", type: "histogram", samples: [{ value: 1 }, { value: 2 }, { value: 3.5 }, { value: 2 }] },
  ])
})

test("sums up the samples that have the labels asked for", () => {
  const text = '# HELP a x\n# TYPE a gauge\na{b="1",c="1"} 1\na{b="1",c="2"} 2\na{b="2",c="1"} 4\n'
  const metrics = parseExposition(text)
  expect([valueOf(metrics, "a"), valueOf(metrics, "a", { b: "1" }), valueOf(metrics, "a", { b: "3" })]).toEqual([
    7,
    3,
    undefined,
  ])
})

/** The histogram with one line changed, or left out. */
function histogramWith(line: number, replacement: string | undefined): string {
  const lines: readonly (string | undefined)[] = HISTOGRAM.with(line, replacement ?? "")
  return `${lines.join("\n")}\n`
}

test.each([
  ["no line feed at the end", "# HELP a x\n# TYPE a gauge\na 1", "line feed"],
  ["a sample without a type", "a 1\n", "before its TYPE"],
  ["a metric that comes twice", "# HELP a x\n# TYPE a gauge\n# HELP a x\n# TYPE a gauge\n", "comes twice"],
  [
    "a series that comes twice",
    '# HELP a x\n# TYPE a gauge\na{b="1",c="2"} 1\na{c="2",b="1"} 2\n',
    "series comes twice",
  ],
  ["a sample of another metric", "# HELP a x\n# TYPE a gauge\n# HELP b x\n# TYPE b gauge\na 1\n", "no sample of b"],
  ["the original's key as a name", '# HELP a x\n# TYPE a gauge\na{"b"=>"c"}{b="c"} 1\n', "bad labels"],
  ["a label that is not escaped", '# HELP a x\n# TYPE a gauge\na{b="\\d"} 1\n', "bad labels"],
  ["a comma at the end of the labels", '# HELP a x\n# TYPE a gauge\na{b="c",} 1\n', "bad labels"],
  ["infinity by another name", "# HELP a x\n# TYPE a gauge\na Infinity\n", "no number"],
  ["a counter below 0", "# HELP a x\n# TYPE a counter\na -1\n", "below 0"],
  ["a type that is none", "# HELP a x\n# TYPE a count\n", "no type"],
  ["a metric without its type", "# HELP a x\n", "has no type"],
  ["buckets that do not ascend", histogramWith(2, 'h_seconds_bucket{le="0.1"} 3'), "do not ascend"],
  ["no infinite bucket", histogramWith(3, 'h_seconds_bucket{le="9"} 2'), "no infinite bucket"],
  ["a count that is not the infinite bucket's", histogramWith(5, "h_seconds_count 3"), "is not its count"],
  ["a histogram without its sum", histogramWith(4, undefined), "lacks its sum"],
])("refuses %s", (_what, text, message) => {
  expect(() => parseExposition(text)).toThrow(message)
})
