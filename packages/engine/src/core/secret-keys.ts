/**
 * What a key says about the value beside it. `secret-text`: text is secret and a number is not, such as `tokens`,
 * which are counted as often as they are listed.
 */
export type Verdict = "public" | "secret" | "secret-text"

/** Judges a key; the verdicts of the keys that keep coming are remembered. */
export type KeyJudge = (key: string) => Verdict

/** Which keys are secret beside those that always are, and which are not although they sound so. */
export interface SecretKeys {
  readonly keys?: readonly string[] | undefined
  readonly allow?: readonly string[] | undefined
}

// A key is compared as its words, in lower case, each between spaces: `X-Api-Key`, `api_key` and `apiKey` are all
// " x api key ". So `otp` is not found in `option`, nor `salt` in `basalt`.

/** Words, and parts of words that no other word has: the ones run together, such as `dbpassword`, count too. */
const SECRET_WORDS = [
  "passw",
  "passphrase",
  "passcode",
  " pass (?:word|phrase|code)",
  " pwd ",
  "email",
  " e mails? ",
  "secret(?!ar)",
  "token(?!i[sz])",
  " (?:b|s|en|de)?crypt(?:ed|s)? ",
  " salts? ",
  " certificates? ",
  " [th]?otps? ",
  " ssns? ",
  " credentials? ",
  " authorization ",
  " cookies? ",
  " bearer ",
  " jwts? ",
]

/** What opens or signs something. Any other key is secret too if it comes last, as `_key` was in the original's list. */
const KEY_KINDS =
  "x?api|private|access|auth|sign(?:ing)?|encryption|crypto|master|shared|session|ssh|ssl|tls|hmac|aes|rsa|gpg|pgp|deploy|license"

/** Keys that find, order or separate things. */
const OPEN_KINDS =
  "public|identity|idempotency|idempotence|primary|foreign|natural|surrogate|composite|candidate|unique|partition|sort|shard|range|hash|index|row|group|join|cache|lock|limit|routing|route|dedupe|deduplication|object|translation|message|concurrency|parent|child|map|by|on|is|the"

const SECRET = new RegExp(
  [...SECRET_WORDS, ` (?:${KEY_KINDS}) ?keys? `, ` (?!(?:${OPEN_KINDS}) )\\S+ keys? $`].join("|"),
  "u",
)

/** When the last word is one of these, the key tells something about a secret, and not the secret. */
const ABOUT = new RegExp(
  " (?:counts?|total|length|size|limit|max|min|usage|used|budget|remaining|types?|kind|scheme|at|ms|seconds|minutes|"
    + "hours|days|bytes|ttl|expiry|expires|expired|expiration|errors?|exception|status|state|policy|algorithm|"
    + "enabled|required|valid|invalid|verified|version|index|position|format|mismatch) $",
  "u",
)

const TOKENS = / tokens(?= )/gu

const BORDERS =
  /(?<=[\p{Ll}\d])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})|(?<=\p{L})(?=\d)|(?<=\d)(?=\p{L})|[^\p{L}\p{M}\d]+/u

/** Maps with an id as key have more keys than anybody wants to remember. */
const MAX_REMEMBERED = 2_000
const MAX_REMEMBERED_LENGTH = 100
/** Every run of words is compared with the user's keys. */
const MAX_WORDS = 32

export function createKeyJudge({ keys = [], allow = [] }: SecretKeys = {}): KeyJudge {
  const secret = new Set(keys.map(joined).filter((key) => key !== ""))
  const open = new Set(allow.map(joined))
  const remembered = new Map<string, Verdict>()

  function judge(key: string): Verdict {
    const words = wordsOf(key)
    if (open.has(words.join(""))) return "public"
    if (secret.size > 0 && someRun(words, (run) => secret.has(run))) return "secret"
    return judgeWords(words)
  }

  return (key) => {
    const known = remembered.get(key)
    if (known !== undefined) return known
    const verdict = judge(key)
    if (key.length > MAX_REMEMBERED_LENGTH) return verdict
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    remembered.set(key, verdict)
    return verdict
  }
}

function judgeWords(words: readonly string[]): Verdict {
  const phrase = ` ${words.join(" ")} `
  if (!SECRET.test(phrase) || ABOUT.test(phrase)) return "public"
  const others = phrase.replace(TOKENS, "")
  return others === phrase || SECRET.test(others) ? "secret" : "secret-text"
}

function wordsOf(key: string): readonly string[] {
  return key
    .normalize()
    .split(BORDERS)
    .filter((word) => word !== "")
    .map((word) => word.toLowerCase())
}

function joined(key: string): string {
  return wordsOf(key).join("")
}

/** Whether neighbouring words, run together, pass the test. */
function someRun(words: readonly string[], passes: (run: string) => boolean): boolean {
  const last = words.slice(-MAX_WORDS)
  for (let from = 0; from < last.length; from++) {
    let run = ""
    for (const word of last.slice(from)) {
      run += word
      if (passes(run)) return true
    }
  }
  return false
}
