import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { createRedactor } from "./redact.ts"

const redact = createRedactor()

/** What a logger writes. */
const written = (value: unknown): string => JSON.stringify(value)

describe("createRedactor", () => {
  test("hides what stands under a secret key, at any depth, and nothing else", () => {
    const value = {
      taskId: "1",
      headers: { authorization: "Bearer abc", accept: "*/*", "x-api-key": ["a", "b"] },
      users: [{ name: "bob", password: "hunter2", otp: 123456, hasPassword: true, token: null, ssn: undefined }],
      usage: { promptTokens: 12, tokens: 7n, access: { tokens: ["a"] } },
    }
    expect(redact(value)).toEqual({
      taskId: "1",
      headers: { authorization: "[REDACTED]", accept: "*/*", "x-api-key": "[REDACTED]" },
      users: [
        { name: "bob", password: "[REDACTED]", otp: "[REDACTED]", hasPassword: true, token: null, ssn: undefined },
      ],
      usage: { promptTokens: 12, tokens: 7n, access: { tokens: "[REDACTED]" } },
    })
    expect(value.users[0]?.password).toBe("hunter2")
  })

  test("hides what a text gives away, wherever the text stands", () => {
    expect(redact("password=hunter2")).toBe("password=[REDACTED]")
    expect(redact({ note: ["see https://bob:hunter2@shop.com"] })).toEqual({
      note: ["see https://[REDACTED]@shop.com"],
    })
  })

  test("gives the same value when there is nothing to hide, and the same parts when there is", () => {
    const open = {
      list: [1, "a", { b: new Map([["c", new Set([1])]]) }],
      error: new Error("no"),
      at: new Date(0),
      url: new URL("http://a/"),
    }
    expect(redact(open)).toBe(open)
    const mixed = { open, password: "hunter2" }
    expect(redact(mixed).open).toBe(open)
    for (const value of [undefined, null, 0, Number.NaN, true, 1n, Symbol.iterator, () => 1])
      expect(redact(value)).toBe(value)
    const numbers = { value: Number.NaN }
    expect(redact(numbers)).toBe(numbers)
  })

  test("takes the caller's keys, what it allows, and its mask", () => {
    const own = createRedactor({ keys: ["cardNumber"], allow: ["email"], mask: "***" })
    expect(
      own({ card_number: "4111", email: "bob@shop.com", note: "cardNumber=4111 email=bob@shop.com token=x" }),
    ).toEqual({
      card_number: "***",
      email: "bob@shop.com",
      note: "cardNumber=*** email=bob@shop.com token=***",
    })
  })

  test("an error stays an error: message, stack, cause and fields without their secrets", () => {
    class CardError extends Error {
      override readonly name = "CardError"
      readonly code = "E_CARD"
      readonly config = { headers: { Authorization: "Bearer abc" } }
    }
    const error = new CardError("card refused, token=abc", {
      cause: new AggregateError([new Error("otp: 123456")], "all"),
    })
    const shown = redact(error)
    expect(shown).toBeInstanceOf(CardError)
    expect(shown).not.toBe(error)
    expect(shown).toMatchObject({
      name: "CardError",
      code: "E_CARD",
      config: { headers: { Authorization: "[REDACTED]" } },
    })
    expect(shown.message).toBe("card refused, token=[REDACTED]")
    expect(shown.stack).toMatch(/^CardError: card refused, token=\[REDACTED\]\n +at /)
    expect(Object.keys(shown)).toEqual(Object.keys(error))
    expect((shown.cause as AggregateError).errors[0].message).toBe("otp: [REDACTED]")
    expect(error.message).toBe("card refused, token=abc")
  })

  test("errors that keep their message elsewhere can be read", () => {
    const shown = redact(new DOMException("bad token=abc", "AbortError"))
    expect([shown.name, shown.message]).toEqual(["AbortError", "bad token=[REDACTED]"])
  })

  test("maps and sets stay what they are", () => {
    const map = new Map<unknown, unknown>([
      ["password", "hunter2"],
      [1, { otp: 1 }],
      ["n", 2],
    ])
    expect(redact(map)).toEqual(
      new Map<unknown, unknown>([
        ["password", "[REDACTED]"],
        [1, { otp: "[REDACTED]" }],
        ["n", 2],
      ]),
    )
    expect(redact(new Set(["token=a", "token=[REDACTED]"]))).toEqual(new Set(["token=[REDACTED]"]))
  })

  test("a class keeps its prototype, a frozen value is copied, and `__proto__` is a key like others", () => {
    class Customer {
      name = "bob"
      password = "hunter2"
      greet() {
        return `hi ${this.name}`
      }
    }
    const shown = redact(Object.freeze(new Customer()))
    expect(shown.greet()).toBe("hi bob")
    expect(written(shown)).toBe('{"name":"bob","password":"[REDACTED]"}')
    const odd: unknown = JSON.parse('{"__proto__":{"password":"hunter2"},"n":1}')
    expect(written(redact(odd))).toBe('{"__proto__":{"password":"[REDACTED]"},"n":1}')
    expect(redact({ constructor: 1, prototype: { salt: 1 } })).toEqual({
      constructor: 1,
      prototype: { salt: "[REDACTED]" },
    })
  })

  test("looks at what will be written of an object that has a toJSON", () => {
    const hidden = { toJSON: () => ({ password: "hunter2" }) }
    expect(redact({ hidden })).toEqual({ hidden: { password: "[REDACTED]" } })
    expect(redact({ at: new URL("https://bob:hunter2@shop.com/") })).toEqual({ at: "https://[REDACTED]@shop.com/" })
    const self = { password: "hunter2", toJSON: () => self }
    expect(redact(self).password).toBe("[REDACTED]")
    const bytes = Buffer.from("token=abc")
    expect(redact(bytes)).toBe(bytes)
  })

  test("what throws when it is read is not shown, and harms nothing", () => {
    const broken = {
      get bad(): string {
        throw new Error("no")
      },
      ok: 1,
    }
    expect(redact(broken)).toEqual({ bad: "[UNREADABLE]", ok: 1 })
    const refuse = (): never => {
      throw new Error("no")
    }
    const proxy = new Proxy({}, { ownKeys: refuse, get: refuse, has: refuse, getPrototypeOf: refuse })
    expect(redact([proxy, { toJSON: refuse }])).toEqual(["[UNREADABLE]", "[UNREADABLE]"])
    expect(redact(proxy)).toBe("[UNREADABLE]")
  })

  test("a cycle ends; what is only shared is shown each time", () => {
    const shared = { salt: "a" }
    const cycle: Record<string, unknown> = { one: shared, two: shared }
    cycle["self"] = cycle
    expect(redact(cycle)).toEqual({ one: { salt: "[REDACTED]" }, two: { salt: "[REDACTED]" }, self: "[CIRCULAR]" })
  })

  test("what is too deep or too large is not passed on unseen", () => {
    let deep: unknown = { password: "hunter2" }
    for (let level = 0; level < 60; level++) deep = [deep]
    expect(written(redact(deep))).toBe(`${"[".repeat(50)}"[TRUNCATED]"${"]".repeat(50)}`)
    const large = Array.from({ length: 100_001 }, () => 1)
    expect(redact(large)).toEqual([...large.slice(1), "[TRUNCATED]"])
    const wide = redact([large.slice(2), { a: { password: "hunter2" } }, { password: "hunter2" }])
    expect(wide.slice(1)).toEqual(["[TRUNCATED]"])
    const map = redact(
      new Map<string, unknown>([
        ["all", large],
        ["rest", { password: "hunter2" }],
      ]),
    )
    expect(map.get("rest")).toBe("[TRUNCATED]")
    let bomb: unknown[] = [{ password: "hunter2" }]
    for (let level = 0; level < 40; level++) bomb = [bomb, bomb]
    const startedAt = performance.now()
    expect(written(redact(bomb))).not.toContain("hunter2")
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })

  test("what is JSON already is passed whole, without its secrets", () => {
    let deep: unknown = { password: "hunter2", open: 1 }
    for (let level = 0; level < 99; level++) deep = [deep]
    const shown = `${"[".repeat(99)}{"password":"[REDACTED]","open":1}${"]".repeat(99)}`
    expect(written(redact.json(deep))).toBe(shown)
    const large = [...Array.from({ length: 100_001 }, () => 1), { password: "hunter2" }]
    expect(redact.json(large)).toEqual([...large.slice(0, -1), { password: "[REDACTED]" }])
  })

  const secret = "s3cr3t-V4lu3"
  const plain = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(1, "text", true, null, undefined),
      fc.array(tie("tree"), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom("name", "state", "option", "id", "__proto__"), tie("tree"), { maxKeys: 4 }),
    ),
  })).tree
  const planted = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      plain,
      fc.constantFrom<unknown>(
        `password=${secret}`,
        { user_token: secret },
        { "Api-Key": [{ deep: secret }] },
        new Error(`otp: ${secret}`),
      ),
      fc.array(tie("tree"), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom("name", "state", "option", "email"), tie("tree"), { maxKeys: 4 }),
    ),
  })).tree

  test("no secret that was planted anywhere is written", () => {
    const everything = (value: unknown): string =>
      JSON.stringify(value, (_key, part: unknown) => (part instanceof Error ? [part.message, part.stack] : part)) ?? ""
    fc.assert(
      fc.property(planted, (tree) => {
        expect(everything(redact(tree))).not.toContain(secret)
        expect(redact(redact(tree))).toEqual(redact(tree))
      }),
    )
  })

  test("a tree without secrets is given back as it is", () => {
    fc.assert(fc.property(plain, (tree) => Object.is(redact(tree), tree)))
  })

  test("takes anything, and changes nothing that it was given", () => {
    fc.assert(
      fc.property(
        fc.anything({ withMap: true, withSet: true, withDate: true, withTypedArray: true, withNullPrototype: true }),
        (value) => {
          const before = structuredClone(value)
          redact(value)
          expect(value).toEqual(before)
        },
      ),
    )
  })
})
