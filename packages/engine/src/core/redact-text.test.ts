import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { createTextRedactor } from "./redact-text.ts"
import { createKeyJudge } from "./secret-keys.ts"

const redactText = createTextRedactor(createKeyJudge({ keys: ["iban"] }), "[REDACTED]")

const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmN"
const KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIB\nAAKC\n-----END RSA PRIVATE KEY-----"

describe("createTextRedactor", () => {
  test.each([
    ["password=hunter2", "password=[REDACTED]"],
    ["login of bob, password=hunter2&remember=1", "login of bob, password=[REDACTED]&remember=1"],
    ["PASSWORD = hunter2;", "PASSWORD = [REDACTED];"],
    ["iban: DE02120300000000202051", "iban: [REDACTED]"],
    ["iban: DE00 1234 5678", "iban: [REDACTED]"],
    ["iban=GB29 NWBK 6016 1331 9268 19, is unknown", "iban=[REDACTED], is unknown"],
    ["(iban: de00 a1b2\t5678\u00A09 : refused)", "(iban: [REDACTED] : refused)"],
    ["ssn: 123 45 6789: no\n77", "ssn: [REDACTED]: no\n77"],
    ["iban: DE00 took 3 ms, 2 tries", "iban: [REDACTED] took 3 ms, 2 tries"],
    ["iban: DE00, 3 tries", "iban: [REDACTED], 3 tries"],
    ["iban: DE00 ABCD is no bank", "iban: [REDACTED] ABCD is no bank"],
    ["iban: 4111-1111 1111-1111", "iban: [REDACTED] 1111-1111"],
    ["iban: '4111-1111 1111-1111'", "iban: '[REDACTED]'"],
    ["token: abc 1.5 s, token: abc 2026-01-01 x", "token: [REDACTED] 1.5 s, token: [REDACTED] 2026-01-01 x"],
    ["password: abc otp1: 123456 otp2 = 7 x", "password: [REDACTED] otp1: [REDACTED] otp2 = [REDACTED] x"],
    ["GET /x?page=1&token=abc 200 12 ms", "GET /x?page=1&token=[REDACTED] 200 12 ms"],
    ["mysql --password abc db1 --token=abc db2", "mysql --password [REDACTED] db1 --token=[REDACTED] db2"],
    ["GET /x?access_token=abc&page=2", "GET /x?access_token=[REDACTED]&page=2"],
    ["Server=db;Password=abc;Database=x", "Server=db;Password=[REDACTED];Database=x"],
    ['{"token":"abc","page":2}', '{"token":"[REDACTED]","page":2}'],
    ['{"token":"a\\"b\\\\","page":2}', '{"token":"[REDACTED]","page":2}'],
    [String.raw`got "{\"token\":\"a\\\"b\",\"page\":2}"`, String.raw`got "{\"token\":\"[REDACTED]\",\"page\":2}"`],
    ['{"token":"cut off he', '{"token":"[REDACTED]'],
    ['{"otp":123456}', '{"otp":[REDACTED]}'],
    ["(password=hunter2).", "(password=[REDACTED])."],
    ["GET /x?api_key=k-7: 503", "GET /x?api_key=[REDACTED]: 503"],
    ["password=...", "password=[REDACTED]"],
    ['{"prompt_tokens":123,"n":1}', '{"prompt_tokens":123,"n":1}'],
    ['{"tokens":["a","b"],"n":1}', '{"tokens":[REDACTED],"n":1}'],
    ["credentials: { db: { u: 1 }, raw: 'x' }, n: 1", "credentials: [REDACTED], n: 1"],
    ["credentials: { db: { u: 1 ", "credentials: [REDACTED]"],
    ["{ password: 'hunter2', n: 1 }", "{ password: '[REDACTED]', n: 1 }"],
    ["Map { 'token' => 'abc' }", "Map { 'token' => '[REDACTED]' }"],
    ["Key (email)=(bob@shop.com) already exists.", "Key (email)=[REDACTED] already exists."],
    ["Authorization: Bearer abc.def\nAccept: */*", "Authorization: [REDACTED]\nAccept: */*"],
    ['"authorization":"Digest username=bob, realm=x","n":1', '"authorization":"[REDACTED]","n":1'],
    ["Cookie: a=1; session=2\r\nHost: x", "Cookie: [REDACTED]\r\nHost: x"],
    ["curl -H 'X-Api-Key: abc def' x", "curl -H 'X-Api-Key: [REDACTED] def' x"],
    ["mysql --password hunter2 --host db", "mysql --password [REDACTED] --host db"],
    ["mysql --password=hunter2 --host=db", "mysql --password=[REDACTED] --host=db"],
    ["let token := abc", "let token := [REDACTED]"],
    ["token === undefined, password: null, secret=", "token === undefined, password: null, secret="],
    ["password: undefined1", "password: [REDACTED]"],
    ["https://bob:hunter2@shop.com/x", "https://[REDACTED]@shop.com/x"],
    ["https://ghp_abc@github.com/x", "https://[REDACTED]@github.com/x"],
    ["postgres://bob:hunt@er2@db:5432/x", "postgres://bob:[REDACTED]@db:5432/x"],
    ["redis://:hunter2@cache", "redis://:[REDACTED]@cache"],
    ["ssh://git@github.com/x", "ssh://git@github.com/x"],
    ["https://shop.com/?q=a@b", "https://shop.com/?q=a@b"],
    ["sent Bearer abcdef to it", "sent Bearer [REDACTED] to it"],
    ["bearer token is missing", "bearer token is missing"],
    ["Basic Ym9iOmh1bnRlcjI= was refused", "Basic [REDACTED] was refused"],
    ["basic validation does not pass", "basic validation does not pass"],
    [`jwt ${JWT} expired`, "jwt [REDACTED] expired"],
    [`key ${KEY} is bad`, "key [REDACTED] is bad"],
    [`key ${KEY.slice(0, 45)}`, "key [REDACTED]"],
    ["Unexpected token } in JSON at position 7", "Unexpected token } in JSON at position 7"],
    ["TokenExpiredError: jwt expired", "TokenExpiredError: jwt expired"],
    ["at f (file:///app/send-email.ts:12:5)", "at f (file:///app/send-email.ts:12:5)"],
    ["at token.js:12", "at token.js:12"],
    ["user.otp:123456", "user.otp:[REDACTED]"],
    ["options: a, basalt=1, identity_key=2, at 12:30:00", "options: a, basalt=1, identity_key=2, at 12:30:00"],
    [
      "2026-01-01T10:00:00Z 018f3a5e-0000-7000-8000-000000000000",
      "2026-01-01T10:00:00Z 018f3a5e-0000-7000-8000-000000000000",
    ],
    ["", ""],
  ])("%s", (text, redacted) => {
    expect(redactText(text)).toBe(redacted)
    // The error of a step is redacted when it is stored, and again when it is logged.
    expect(redactText(redacted)).toBe(redacted)
  })

  test("puts the user's mask, and does not mask it again", () => {
    const own = createTextRedactor(createKeyJudge(), "<not shown>")
    const once = own("password=abc https://a:b@c token: 'x' Bearer abcd")
    expect(once).toBe("password=<not shown> https://<not shown>@c token: '<not shown>' Bearer <not shown>")
    expect(own("password=<not shown> token: '<not shown>'")).toBe("password=<not shown> token: '<not shown>'")
  })

  const words = fc.array(
    fc.constantFrom("user", "failed", "{", "}", '"', ":", "=", "\n", "42", "\\", "'", "B2C", "token: a"),
  )
  const secret = fc.stringMatching(/^[A-Za-z0-9!#$%*+./?@^_~-]{8,40}$/)

  test("no secret survives behind a secret key, whatever is around it", () => {
    const key = fc.constantFrom("password", "client_secret", "authToken", "X-Api-Key", "otp", "iban")
    fc.assert(
      fc.property(words, key, secret, words, (before, name, value, after) => {
        const quoted = JSON.stringify({ [name]: value })
        const forms = [
          `${name}=${value}`,
          `${name}: ${value}`,
          quoted,
          JSON.stringify(quoted),
          `{ '${name}': '${value}' }`,
        ]
        for (const form of forms) {
          const text = `${before.join(" ")} ${form} ${after.join(" ")}`
          expect(redactText(text)).not.toContain(value)
        }
      }),
    )
  })

  test("no group of a secret that is written in groups survives", () => {
    const group = fc.stringMatching(/^[A-Za-z]{0,4}[0-9]{2,8}[A-Za-z]{0,4}$/)
    const separator = fc.constantFrom(": ", "=", " = ", " := ")
    fc.assert(
      fc.property(fc.array(group, { minLength: 1, maxLength: 12 }), separator, (groups, by) => {
        expect(redactText(`of bob, iban${by}${groups.join(" ")}, was refused`)).toBe(
          `of bob, iban${by}[REDACTED], was refused`,
        )
      }),
    )
  })

  test("of a URL with a password, only that goes", () => {
    const part = fc.stringMatching(/^[a-z0-9]{1,10}$/)
    const password = fc.stringMatching(/^[A-Za-z0-9:@?#!$&=+]{6,30}$/).filter((text) => !text.includes("ab"))
    fc.assert(
      fc.property(part, password, part, (user, value, host) => {
        expect(redactText(`amqp://${user}:${value}@${host}.ab/x`)).toBe(`amqp://${user}:[REDACTED]@${host}.ab/x`)
      }),
    )
  })

  test("redacting twice is redacting once", () => {
    const form = fc.constantFrom(
      "password=",
      '"token":',
      "Bearer ",
      "https://",
      "@",
      "eyJ",
      " ",
      "x",
      "1",
      "[",
      "]",
      "(",
      "'",
      '"',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(form, fc.string())), (parts) => {
        const once = redactText(parts.join(""))
        expect(redactText(once)).toBe(once)
      }),
    )
  })

  test("takes a time that grows with the text", () => {
    const startedAt = performance.now()
    for (const part of [
      "a",
      "a:",
      "password=",
      'token:"',
      "--",
      "--a ",
      "eyJ",
      "eyJaaaaaaaaa.",
      "http://a:",
      "Bearer ",
      "\\",
      "token: {",
      "-----BEGIN PRIVATE KEY-----",
      "A ",
      "a=[",
      "basic a",
      "token: 1 ",
      "token: a ABCD ",
      "token: a 1a",
    ])
      redactText(part.repeat(200_000 / part.length))
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })
})
