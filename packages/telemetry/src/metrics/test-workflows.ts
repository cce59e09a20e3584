import { type AnyWorkflow, defineWorkflow, PermanentError } from "@tasker/engine"

/** What the handlers of the workflows below wait for, and tell. */
export interface TestHandlers {
  /** Called by the step `wait` of `gated`. */
  readonly wait: (signal: AbortSignal) => Promise<void>
  /** Called by the step `answer` of `late`. */
  readonly cancel?: (taskId: string) => Promise<void>
}

/** Workflows whose steps end in every way that there is, named after it. */
export function testWorkflows({ wait, cancel = async () => {} }: TestHandlers) {
  /** Three steps that go well, one after the other. */
  const order = defineWorkflow({ namespace: "shop", name: "order", version: "1.0.0" })
    .step("price", { handler: () => pause(2) })
    .step("charge", { dependsOn: ["price"], handler: () => pause(2) })
    .step("send", { dependsOn: ["charge"], handler: () => "sent" })
  /** Fails once, then goes well. */
  const flaky = defineWorkflow({ namespace: "shop", name: "flaky", version: "1.0.0", maxAttempts: 2 }).step("try", {
    backoff: { delaysMs: [1], jitter: 0 },
    handler: ({ attempt }) => {
      if (attempt === 1) throw new Error("not yet")
      return attempt
    },
  })
  /** Fails for good, once its skippable step has too. */
  const doomed = defineWorkflow({ namespace: "shop", name: "doomed", version: "1.0.0" })
    .step("extra", {
      skippable: true,
      handler: () => {
        throw new PermanentError("nobody needs it")
      },
    })
    .step("fail", {
      dependsOn: ["extra"],
      handler: () => {
        throw new PermanentError("the card was declined")
      },
    })
  /** Takes longer than it may. */
  const slow = defineWorkflow({ namespace: "shop", name: "slow", version: "1.0.0", maxAttempts: 1 }).step("sleep", {
    timeoutMs: 20,
    handler: ({ signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("late")))),
  })
  /** Holds its step until the test lets it go. */
  const gated = defineWorkflow({ namespace: "shop", name: "gated", version: "1.0.0" })
    .step("wait", { handler: ({ signal }) => wait(signal) })
    .step("after", { dependsOn: ["wait"], handler: () => "done" })
  /** Cancels its own task, so that what its step returns is refused. */
  const late = defineWorkflow({ namespace: "shop", name: "late", version: "1.0.0" }).step("answer", {
    handler: ({ taskId }) => cancel(taskId),
  })
  return { order, flaky, doomed, slow, gated, late } satisfies Record<string, AnyWorkflow>
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}
