import { expect, test } from "vitest"
import { redactRule } from "./redact-rules.ts"

test.each<[unknown, boolean]>([
  [{}, true],
  [{ keys: ["iban", "card-number"], allow: ["email"], mask: "***" }, true],
  [{ keys: undefined, allow: undefined, mask: undefined }, true],
  [{ keys: [], mask: "[hidden]" }, true],
  [null, false],
  ["iban", false],
  [["iban"], false],
  [[], false],
  [{ keys: "iban" }, false],
  [{ keys: [7] }, false],
  [{ keys: ["_-"] }, false],
  [{ allow: [""] }, false],
  [{ mask: "" }, false],
  [{ mask: "two words" }, false],
  [{ mask: 'a"b' }, false],
  [{ mask: 1 }, false],
  [{ key: ["iban"] }, false],
  [{ key: undefined }, false],
])("%j", (value, isAccepted) => {
  expect(redactRule.accepts(value)).toBe(isAccepted)
})
