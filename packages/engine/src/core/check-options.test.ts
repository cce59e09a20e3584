import { describe, expect, it } from "vitest"
import { checkOptions } from "./check-options.ts"
import { isTaskerError } from "./error.ts"
import { flagRule, integerRule } from "./option-rules.ts"

const RULES = { concurrency: integerRule(1, 10), verbose: flagRule }

function problemsOf(options: unknown): unknown {
  try {
    checkOptions("startWorker", options, RULES, "TASKER_CONFIG_INVALID")
    return []
  } catch (error) {
    if (!isTaskerError(error, "TASKER_CONFIG_INVALID")) throw error
    return error.details["problems"]
  }
}

describe("checkOptions", () => {
  it("takes what is in range, and what is not given", () => {
    expect(problemsOf({})).toEqual([])
    expect(problemsOf({ concurrency: 10, verbose: undefined })).toEqual([])
  })

  it("refuses with every problem at once, and what an unknown option may have been meant as", () => {
    expect(problemsOf({ concurrency: 11, verbos: true, verbose: 1 })).toMatchObject([
      { message: expect.stringContaining("expected concurrency to be an integer from 1 to 10, got 11") },
      { message: expect.stringContaining('unknown option "verbos"'), hint: expect.stringContaining('"verbose"') },
      { message: expect.stringContaining("expected verbose to be true or false") },
    ])
  })

  it.each([null, 5, "text", [], () => {}])("refuses %o, which is no object of options", (options) => {
    expect(problemsOf(options)).toHaveLength(1)
  })

  it("knows no options that every object has", () => {
    expect(problemsOf({ constructor: 1 })).toHaveLength(1)
    expect(problemsOf(JSON.parse('{"__proto__": 1}'))).toHaveLength(1)
  })
})
