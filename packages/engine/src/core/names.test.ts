import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { asName, closest, didYouMean, isHandlerName, isName } from "./names.ts"

describe(isName, () => {
  test.each(["a", "charge_card", "a1", "x_", "a".repeat(63), "to_string", "valueof"])("%j is a name", (name) => {
    expect(isName(name)).toBe(true)
  })

  test.each([
    "",
    "A",
    "1a",
    "_a",
    "a-b",
    "a.b",
    "a b",
    "chargeCard",
    "é",
    "a".repeat(64),
    "a\n",
    "__proto__",
    "constructor",
    "prototype",
  ])("%j is none", (name) => {
    expect(isName(name)).toBe(false)
  })

  test.each([null, undefined, 1, ["a"], { toString: () => "a" }])("%s is none", (name) => {
    expect(isName(name)).toBe(false)
  })

  test("no name is inherited by every object", () => {
    for (const key of Object.getOwnPropertyNames(Object.prototype)) expect(isName(key)).toBe(false)
  })
})

describe(isHandlerName, () => {
  test.each(["charge", "shop.charge_card", "a.b.c.d"])("%j is a handler's name", (name) => {
    expect(isHandlerName(name)).toBe(true)
  })

  test.each(["", ".", "shop.", ".charge", "a..b", "a.b.c.d.e", "Shop.charge", "shop.constructor", 7, null])(
    "%j is none",
    (name) => {
      expect(isHandlerName(name)).toBe(false)
    },
  )
})

describe(asName, () => {
  test.each([
    ["chargeCard", "charge_card"],
    ["Charge Card!", "charge_card"],
    ["charge-card", "charge_card"],
    [" a ", "a"],
  ])("%j may have been meant as %j", (text, name) => {
    expect(asName(text)).toBe(name)
  })

  test.each(["charge_card", "1", "", "Constructor", "x".repeat(201), "é"])("nothing is suggested for %j", (text) => {
    expect(asName(text)).toBeUndefined()
  })

  test("whatever it suggests is a name, and another one", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const name = asName(text)
        expect(name === undefined || (isName(name) && name !== text)).toBe(true)
      }),
    )
  })
})

describe(closest, () => {
  test.each([
    ["prise", ["price", "load_cart"], "price"],
    ["lode_cart", ["price", "load_cart"], "load_cart"],
    ["dependson", ["dependsOn", "handler"], "dependsOn"],
    ["max_attempts", ["maxAttempts", "timeoutMs"], "maxAttempts"],
    ["pirce", ["price"], "price"],
    ["chargecard", ["charge_card", "charge_cards"], "charge_card"],
  ])("%j is likely one of %j: %j", (name, candidates, expected) => {
    expect(closest(name, candidates)).toBe(expected)
  })

  test.each([
    ["a", ["b"]],
    ["ship", ["price", "load_cart"]],
    ["anything", []],
    ["a".repeat(300), ["a".repeat(299)]],
  ])("%j is near none of %j", (name, candidates) => {
    expect(closest(name, candidates)).toBeUndefined()
    expect(didYouMean(name, candidates)).toBeUndefined()
  })

  test("a name is closest to itself", () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{3,12}$/), { minLength: 1 })
    fc.assert(
      fc.property(names, (candidates) => {
        expect(closest(candidates[0]!, candidates)).toBe(candidates[0])
      }),
    )
  })

  test("one wrong letter in a word of three or more is found again", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{3,20}$/), fc.nat(19), (name, position) => {
        const index = position % name.length
        expect(closest(`${name.slice(0, index)}0${name.slice(index + 1)}`, [name])).toBe(name)
      }),
    )
  })

  test("it is said as a question", () => {
    expect(didYouMean("prise", ["price"])).toBe('did you mean "price"?')
  })
})
