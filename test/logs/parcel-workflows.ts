import { defineWorkflow, type StepContext } from "@tasker/engine"

/** What handlers need of their process. */
export interface ParcelHandlers {
  /** Creates a task that belongs to the step that asks for it. */
  readonly notify: (step: StepContext<unknown, unknown>) => Promise<void>
  /** Ends when the step is aborted. */
  readonly hold: (step: StepContext<unknown, unknown>) => Promise<void>
}

/** The workflows of two processes that log, in code that both share. */
export function parcelWorkflows({ notify, hold }: ParcelHandlers) {
  const parcel = defineWorkflow({ namespace: "shop", name: "parcel", version: "1.0.0" })
    .step("pack", { handler: ({ log }) => log.debug({ weight: 3 }, "packed") })
    .step("label", {
      dependsOn: ["pack"],
      maxAttempts: 2,
      backoff: { baseMs: 1, capMs: 1 },
      handler: ({ attempt }) => {
        if (attempt === 1) throw new Error("the printer is busy")
      },
    })
    .step("send", { dependsOn: ["label"], handler: notify })
  const notice = defineWorkflow({ namespace: "shop", name: "notice", version: "1.0.0" }).step("mail", {
    handler: ({ log }) => log.info({}, "mailed"),
  })
  const held = defineWorkflow({ namespace: "shop", name: "held", version: "1.0.0" }).step("hold", { handler: hold })
  return { parcel, notice, held }
}
