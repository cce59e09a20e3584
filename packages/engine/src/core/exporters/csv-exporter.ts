import type { OptionRules } from "../check-options.ts"
import type { Exporter } from "../exporter.ts"
import { flagRule, type OptionRule } from "../option-rules.ts"
import { type Column, columnsOf, type FieldChoice, fieldChoiceRule, nonFiniteText } from "./columns.ts"

/** Options of the format `csv`. */
export interface CsvOptions {
  /** Which fields are columns, in which order, and how they are headed. Default: every field, under its own name. */
  readonly columns?: FieldChoice | undefined
  /** Between columns: one character, such as `;` or a tab. Default: a comma. */
  readonly separator?: string | undefined
  /** After each row: `"\r\n"` as RFC 4180 has it, or `"\n"`. Default: `"\r\n"`. */
  readonly rowSeparator?: string | undefined
  /** Whether the first row has the names of the columns. Default: true. */
  readonly headers?: boolean | undefined
  /** Whether each label has a column of its own, `label_<name>`; else `labels` holds them as JSON. Default: true. */
  readonly flattenLabels?: boolean | undefined
  /**
   * What becomes of text that a spreadsheet would run as a formula. `"escape"`: it gets a `'` in front, which shows that
   * it is text; and so does what looks like a formula after a `,`, `;`, `|`, tab or line break within a text, where a
   * spreadsheet with another separator begins a new cell. `"keep"`: it stays as it is, for programs that read the file;
   * never open such a file in a spreadsheet.
   *
   * Default: `"escape"`.
   */
  readonly formulas?: "escape" | "keep" | undefined
  /** Whether the file begins with a byte order mark, by which Excel knows UTF-8. Default: false. */
  readonly byteOrderMark?: boolean | undefined
}

const separatorRule: OptionRule = {
  rule: "one character that is no quote, no line break, no letter, no digit, and begins no formula",
  accepts: (value) => typeof value === "string" && /^[^"'\r\n\p{L}\p{N}=+\-@＝＋－＠]$/u.test(value),
}

const OPTIONS: OptionRules = {
  columns: fieldChoiceRule,
  separator: separatorRule,
  rowSeparator: { rule: String.raw`"\r\n" or "\n"`, accepts: (value) => value === "\r\n" || value === "\n" },
  headers: flagRule,
  flattenLabels: flagRule,
  formulas: { rule: '"escape" or "keep"', accepts: (value) => value === "escape" || value === "keep" },
  byteOrderMark: flagRule,
}

/**
 * Comma-separated values, as RFC 4180 has them, in UTF-8.
 *
 * Times are ISO 8601 in UTC; lists and objects are JSON. Nothing at all is an empty cell, empty text a quoted one.
 */
export const csvExporter: Exporter<CsvOptions> = Object.freeze<Exporter<CsvOptions>>({
  name: "csv",
  version: "1.0.0",
  description: "Comma-separated values, safe to open in a spreadsheet",
  formats: ["csv"],
  options: OPTIONS,
  async *export(records, options, context) {
    const { separator = ",", rowSeparator = "\r\n", headers = true, flattenLabels = true } = options
    const columns = columnsOf(context, { chosen: options.columns, option: "columns", flattenLabels })
    const toCell = cellWriter(separator, options.formulas ?? "escape")
    if (options.byteOrderMark ?? false) yield "\uFEFF"
    if (headers) yield columns.map((column) => toCell(column.name)).join(separator) + rowSeparator
    for await (const record of records) {
      yield columns.map((column: Column) => toCell(column.read(record))).join(separator) + rowSeparator
    }
  },
})

function cellWriter(separator: string, formulas: "escape" | "keep"): (value: unknown) => string {
  return (value) => {
    if (value === null || value === undefined) return ""
    if (typeof value === "number") return Number.isFinite(value) ? String(value) : nonFiniteText(value)
    const text = textOf(value)
    const safe = formulas === "escape" ? withoutFormulas(text) : text
    return mustBeQuoted(safe, separator) || safe !== text ? `"${safe.replaceAll('"', '""')}"` : safe
  }
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value
  if (value instanceof Date) return value.toISOString()
  return JSON.stringify(value)
}

/**
 * What spreadsheets take for the start of a formula, whatever blanks come first; and tabs and line breaks, at which some
 * begin a new cell. The wide forms are read like the narrow ones where people write Chinese, Japanese or Korean.
 * https://owasp.org/www-community/attacks/CSV_Injection
 */
const FORMULA_START = /^(?:[\t\r\n]|[\s\uFEFF]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/

/** Text that is a number, and nothing besides: it computes nothing. */
const NUMBER = /^[+-]?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|Inf)$/

/**
 * What begins a formula after a separator within a text, whatever blanks and quotes come first. Quoting does not help: a
 * reader with another separator takes the cell apart there. The character itself comes first here, so that a long run
 * of blanks is looked through once, and not from each of its places.
 */
const LATER_FORMULA_START = /[=+\-@\uFF1D\uFF0B\uFF0D\uFF20](?<=[,;|\t\r\n][\s"]*.)/g

/** As lists have numbers in JSON, which a quote in front would break. Whatever reads on from there finds no formula. */
const LISTED_NUMBER = /(?<=,)-\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?=[,\]}]|$)/y

function withoutFormulas(text: string): string {
  if (NUMBER.test(text)) return text
  const inside = text.replaceAll(LATER_FORMULA_START, (start, at: number) => {
    LISTED_NUMBER.lastIndex = at
    return LISTED_NUMBER.test(text) ? start : `'${start}`
  })
  return FORMULA_START.test(text) ? `'${inside}` : inside
}

/** Other separators too: whoever opens the file may have another one set. */
function mustBeQuoted(text: string, separator: string): boolean {
  return text === "" || text.includes(separator) || /[",;|\t\r\n]|^\s|\s$/.test(text)
}
