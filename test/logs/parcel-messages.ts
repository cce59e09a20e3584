/** What a test tells a process to do. Each is answered when it is done. */
export type ParcelCommand =
  | { readonly do: "work"; readonly name: string }
  | { readonly do: "create"; readonly workflow: "parcel" | "held"; readonly correlationId?: string }
  | { readonly do: "await" | "pause" | "resume" | "cancel"; readonly taskId: string }
  | { readonly do: "close" }

/** What a process tells the test. */
export type ParcelMessage =
  | { readonly event: "ready" }
  | { readonly event: "done"; readonly taskId?: string }
  | { readonly event: "created" | "holds"; readonly taskId: string }
