const OBJECTS =
  "table|(?:unique\\s+)?index|(?:materialized\\s+)?view|function|procedure|schema|type|domain|trigger|sequence|extension"

/** Statements on tables, and those that define things. */
const TABLE_STATEMENTS = [
  String.raw`with\s+(?:recursive\s+)?\w+\s*(?:\([^)]*\)\s*)?as\s+(?:not\s+)?(?:materialized\s+)?\(`,
  String.raw`insert\s+into\s+\S`,
  String.raw`update\s+(?:only\s+)?\S+\s+(?:as\s+\w+\s+)?set\s+\S`,
  String.raw`delete\s+from\s+\S`,
  String.raw`merge\s+into\s+\S`,
  String.raw`truncate\s+(?:table\s+)?[\w."]+\s*(?:$|;|,|cascade)`,
  String.raw`copy\s+[\w."(]+[^]*\b(?:from|to)\s+std`,
  String.raw`lock\s+table\b`,
  String.raw`call\s+[\w."]+\s*\(`,
  String.raw`create\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+|unlogged\s+)?(?:${OBJECTS})\s+\S`,
  String.raw`(?:alter|drop)\s+(?:${OBJECTS})\s+\S`,
  String.raw`explain\s+\(?[a-z]`,
]

/** Statements about a connection, a transaction, or the server itself. */
const SESSION_STATEMENTS = [
  String.raw`select\b[^]*\bfrom\s+[\w"$]`,
  String.raw`select\s+[\w."]+\s*\(`,
  String.raw`select\s+\d+\s*(?:$|;|as\b)`,
  String.raw`(?:begin|commit|rollback)\s*(?:$|;|transaction|isolation|read|to\s+savepoint|and\s+chain)`,
  String.raw`(?:release\s+)?savepoint\s+\S`,
  String.raw`(?:un)?listen\s+(?:\*|"|$)`,
  String.raw`notify\s+"`,
  String.raw`set\s+(?:local\s+|session\s+)?[\w.]+\s*(?:=|\bto\b)`,
  String.raw`(?:create|alter|drop)\s+(?:database|role|user)\s+\S`,
]

const START = String.raw`^\s*(?:--[^\n]*\n\s*|/\*[^]*?\*/\s*)*`
const anyOf = (patterns: readonly string[]): RegExp => new RegExp(`${START}(?:${patterns.join("|")})`, "i")
const TABLES = anyOf(TABLE_STATEMENTS)
const SESSION = anyOf(SESSION_STATEMENTS)
const OUR_SCHEMA = /\btasker\.\w/i

/**
 * What kind of SQL a string is, judging by its beginning; `undefined` when it is none.
 *
 * `session` is what a driver needs in order to be one: transactions, LISTEN, settings, the server's own catalog.
 * `tables` is everything else, and whatever names our schema.
 */
export function kindOfSql(text: string): "tables" | "session" | undefined {
  if (TABLES.test(text)) return "tables"
  if (!SESSION.test(text)) return undefined
  return OUR_SCHEMA.test(text) ? "tables" : "session"
}
