import { describe, expect, test } from "vitest"
import {
  isFinalStepState,
  isFinalTaskState,
  isSatisfied,
  STEP_STATES,
  STEP_TRANSITIONS,
  TASK_STATES,
  TASK_TRANSITIONS,
} from "./state.ts"

describe.each([
  ["step", STEP_STATES, STEP_TRANSITIONS],
  ["task", TASK_STATES, TASK_TRANSITIONS],
])(
  "the transitions of a %s",
  (_what, states: readonly string[], transitions: Readonly<Record<string, readonly string[]>>) => {
    test("are given for every state, and lead to states", () => {
      expect(Object.keys(transitions).toSorted()).toEqual(states.toSorted())
      for (const next of Object.values(transitions).flat()) expect(states).toContain(next)
    })

    test("never stay where they are, and reach every state from the first", () => {
      const reached = new Set(["pending"])
      for (const state of reached) {
        expect(transitions[state]).not.toContain(state)
        for (const next of transitions[state]!) reached.add(next)
      }
      expect([...reached].toSorted()).toEqual(states.toSorted())
    })
  },
)

test("every step that is not at its end can be cancelled", () => {
  for (const state of STEP_STATES) {
    expect(isFinalStepState(state) || STEP_TRANSITIONS[state].includes("cancelled")).toBe(true)
  }
})

test("these states are final", () => {
  expect(STEP_STATES.filter(isFinalStepState)).toEqual(["complete", "skipped", "cancelled", "resolved_manually"])
  expect(TASK_STATES.filter(isFinalTaskState)).toEqual(["complete", "cancelled", "resolved_manually"])
})

test("dependents may run after these states", () => {
  expect(STEP_STATES.filter(isSatisfied)).toEqual(["complete", "skipped", "resolved_manually"])
})
