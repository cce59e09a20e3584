import type { KeyJudge, Verdict } from "./secret-keys.ts"

/** Most text of a log line holds none of these, and so no secret that could be told from other text. */
const SUSPICIOUS = /[:=@]|--|eyJ|bearer|basic/i

/** A private key, also one that was cut. */
const PRIVATE_KEY = /-----BEGIN ([A-Z ]{0,40}PRIVATE KEY)-----[^]*?(?:-----END \1-----|$)/g

const JSON_WEB_TOKEN = /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g

/** Prose says "bearer token" and "basic validation", so these are no credentials. */
const BEARER = /\b(bearer)(\s+)(?!(?:auth\w*|tokens?|schemes?|headers?|credentials?)\b)[\w.~+/=-]{4,}/gi
const BASIC = /\b(basic|BASIC|Basic)(\s+)(?=[a-z]*[A-Z\d=+/])[\w+/=-]{8,}/g

const USER_OF_URL = /\b([a-z][a-z\d+.-]{0,30}:\/\/)([^\s/"'`<>]*)@/gi

/** `key=`, `"key": `, `\"key\":`, `'key' => `, `(key)=`, `--key `; the value is read by hand. */
const KEY =
  /(?<![\p{L}\p{N}_$.-])(?:--([\p{L}\p{N}_-]+)[ \t]+|([\p{L}\p{N}_$.-]+)\\*["'`]?[)\]]?[ \t]{0,8}(?:=>|:=|:|={1,3})[ \t]{0,8})/gu

const PLAIN = /[^\s&;"'`]+/y
/**
 * What may follow a value that is written in groups, as an IBAN is: digits, digits and letters that are no key, or the four
 * capitals of a bank. Prose has a word before its next number, and a time or a fraction more than letters and digits.
 */
const GROUP =
  /[^\S\r\n]{1,8}(?:\d+|(?=[A-Za-z]*\d)[A-Za-z\d]+(?!\\*["'`]?[)\]]?[ \t]{0,8}[:=])|[A-Z]{4})(?=[,.:)\]}]*(?:[\s&;"'`]|$))/y
/** Headers whose value may have spaces. */
const LINE = /[^\r\n"'`]+/y
const OPENING_QUOTE = /(\\*)(["'`])/y
/** Says that there is no secret, which is worth knowing. */
const NOTHING = /(?:undefined|null|true|false|NaN)\b/y
const NUMBER = /\d+(?:\.\d+)?(?![\w.-])/y
/** What follows the name of a file in a stack. */
const LINE_NUMBER = /\d+(?::\d+)?(?=[\s),]|$)/y
const WORDY_HEADERS = /authorization|cookie/i

/** Where the part of a text is that a mask replaces; `to` is exclusive. */
interface Span {
  readonly from: number
  readonly to: number
}

/**
 * Makes a function that replaces the secrets that text gives away by their form: the values of secret keys in JSON,
 * query strings, headers, assignments and command lines; credentials in URLs; bearer and basic credentials, JSON web tokens and
 * private keys. Returns the same text when there are none. Takes time in proportion to the text.
 */
export function createTextRedactor(judge: KeyJudge, mask: string): (text: string) => string {
  return (text) => {
    if (!SUSPICIOUS.test(text)) return text
    return hideValues(hideForms(text, mask), judge, mask)
  }
}

function hideForms(text: string, mask: string): string {
  return text
    .replace(PRIVATE_KEY, () => mask)
    .replace(JSON_WEB_TOKEN, () => mask)
    .replace(BEARER, (_match, scheme: string, space: string) => `${scheme}${space}${mask}`)
    .replace(BASIC, (_match, scheme: string, space: string) => `${scheme}${space}${mask}`)
    .replace(USER_OF_URL, (_match, scheme: string, user: string) => `${scheme}${hideUser(scheme, user, mask)}@`)
}

/** The user of an HTTP URL is as often the secret as the password is; that of a database is worth knowing. */
function hideUser(scheme: string, user: string, mask: string): string {
  if (/^https?:/i.test(scheme)) return mask
  const colon = user.indexOf(":")
  return colon === -1 ? user : `${user.slice(0, colon)}:${mask}`
}

/** The key before a value, and what it says. */
interface Place {
  readonly from: number
  readonly key: string
  readonly verdict: Verdict
  readonly judge: KeyJudge
  /** Whether a space ends the value for sure, as it does in a URL and in the arguments of a command. */
  readonly endsAtSpace: boolean
}

function hideValues(text: string, judge: KeyJudge, mask: string): string {
  let hidden = ""
  let copied = 0
  KEY.lastIndex = 0
  for (let match = KEY.exec(text); match !== null; match = KEY.exec(text)) {
    // One of the two groups matched.
    const key = (match[1] ?? match[2]) as string
    const verdict = judge(key)
    if (verdict === "public") continue
    const endsAtSpace = match[0].startsWith("--") || "?&".includes(text[match.index - 1] ?? " ")
    const span = valueAt(text, { from: KEY.lastIndex, key, verdict, judge, endsAtSpace })
    // Hidden before, by another process perhaps.
    if (span === undefined || text.startsWith(mask, span.from)) continue
    hidden += text.slice(copied, span.from) + mask
    copied = span.to
    KEY.lastIndex = span.to
  }
  return copied === 0 ? text : hidden + text.slice(copied)
}

function valueAt(text: string, place: Place): Span | undefined {
  const { from, key } = place
  const quote = matchAt(OPENING_QUOTE, text, from)
  if (quote !== undefined) return quotedAt(text, from + quote.length, quote)
  if ("{[(".includes(text[from] ?? "-")) return { from, to: closingBracket(text, from) }
  if (isPlainlyOpen(text, place)) return undefined
  const line = WORDY_HEADERS.test(key) ? matchAt(LINE, text, from) : undefined
  if (line !== undefined) return { from, to: from + line.length }
  const value = matchAt(PLAIN, text, from)
  if (value === undefined) return undefined
  const length = lengthWithoutStops(value)
  const isEnded = place.endsAtSpace || length < value.length
  return { from, to: isEnded ? from + length : endOfGroups(text, from + length) }
}

/** Behind the last group with a digit of those that follow `from`. */
function endOfGroups(text: string, from: number): number {
  let to = from
  let index = from
  for (let group = matchAt(GROUP, text, index); group !== undefined; group = matchAt(GROUP, text, index)) {
    index += group.length
    if (/\d/.test(group)) to = index
  }
  return to
}

/** What ends a sentence, or closes a bracket, is not the secret's; unless there is nothing else. */
function lengthWithoutStops(value: string): number {
  let length = value.length
  while (length > 0 && ":,.)]}".includes(value.charAt(length - 1))) length -= 1
  return length === 0 ? value.length : length
}

function isPlainlyOpen(text: string, { from, key, verdict, judge }: Place): boolean {
  if (matchAt(NOTHING, text, from) !== undefined) return true
  if (verdict === "secret-text" && matchAt(NUMBER, text, from) !== undefined) return true
  const extension = /\.([a-z]{1,4})$/.exec(key)?.[1]
  if (extension === undefined || judge(extension) !== "public") return false
  return text[from - 1] === ":" && matchAt(LINE_NUMBER, text, from) !== undefined
}

/**
 * The inside of quotes, to the end of the text if they are not closed. JSON inside JSON has 1, 3, 7 … backslashes
 * before its quotes, and twice as many and one more before the quotes inside them.
 */
function quotedAt(text: string, from: number, opening: string): Span {
  const quote = opening.slice(-1)
  const depth = opening.length - 1
  let to = text.indexOf(quote, from)
  while (to !== -1) {
    let first = to
    while (first > from && text[first - 1] === "\\") first -= 1
    if ((to - first) % (2 * (depth + 1)) === depth) return { from, to: first + (to - first - depth) }
    to = text.indexOf(quote, to + 1)
  }
  return { from, to: text.length }
}

/** Behind the bracket that closes the one at `from`. A bracket in a text inside may mislead it; it then hides more or less. */
function closingBracket(text: string, from: number): number {
  let depth = 0
  for (let index = from; index < text.length; index++) {
    const character = text.charAt(index)
    if ("{[(".includes(character)) depth += 1
    else if ("}])".includes(character)) depth -= 1
    if (depth === 0) return index + 1
  }
  return text.length
}

function matchAt(pattern: RegExp, text: string, index: number): string | undefined {
  pattern.lastIndex = index
  return pattern.exec(text)?.[0]
}
