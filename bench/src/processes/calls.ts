import { fork, type ChildProcess } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** What a process can be asked to do: one argument and one answer each, both JSON. */
export type Calls<Api> = { readonly [Name in keyof Api]: (...argument: never) => Promise<unknown> }

interface Request {
  readonly id: number
  readonly name: string
  readonly argument: unknown
}

type Message =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: string }
  | { readonly event: unknown }

/** A process of the benchmark's own, and what it can be asked. */
export interface RemoteProcess<Api, Event> {
  readonly pid: number
  call<Name extends keyof Api & string>(
    name: Name,
    ...argument: Api[Name] extends (...given: infer Given) => unknown ? Given : never
  ): Promise<Api[Name] extends (...given: never) => Promise<infer Answer> ? Answer : never>
  onEvent(listener: (event: Event) => void): void
  /** Lets the process end; kills it when it does not. */
  end(): Promise<void>
}

const END_TIMEOUT_MS = 10_000

/**
 * Starts `main`, a compiled program beside this folder, as a process of its own.
 *
 * @param checkout - the repository whose program it is. Default: this one
 */
export function startProcess<Api, Event = never>(main: string, checkout?: string): RemoteProcess<Api, Event> {
  const own = fileURLToPath(new URL(`../${main}.js`, import.meta.url))
  const child = fork(checkout === undefined ? own : join(checkout, "bench/dist", `${main}.js`), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  })
  const waiting = new Map<number, { resolve: (answer: unknown) => void; reject: (error: Error) => void }>()
  let listener: (event: Event) => void = () => {}
  let lastId = 0
  // Every message is one of ours, made by `serveCalls` in the other process.
  child.on("message", (sent) => {
    const message = sent as Message
    if ("event" in message) return listener(message.event as Event)
    const waiter = waiting.get(message.id)
    waiting.delete(message.id)
    if ("error" in message) waiter?.reject(new Error(`${main}: ${message.error}`))
    else waiter?.resolve(message.answer)
  })
  child.on("exit", (code, signal) => {
    const error = new Error(`${main} ended with ${code ?? signal} before it answered`)
    for (const waiter of waiting.values()) waiter.reject(error)
  })
  const call = (name: string, argument?: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = ++lastId
      waiting.set(id, { resolve, reject })
      child.send({ id, name, argument } satisfies Request, (error) => {
        if (error !== null) reject(error)
      })
    })
  return {
    pid: child.pid ?? 0,
    // The types of the names, arguments and answers are those of `Api`, which the other process implements.
    call: call as unknown as RemoteProcess<Api, Event>["call"],
    onEvent: (to) => {
      listener = to
    },
    end: () => endOf(child),
  }
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  if (child.connected) child.disconnect()
  const timer = setTimeout(() => child.kill("SIGKILL"), END_TIMEOUT_MS)
  await ended
  clearTimeout(timer)
}

/** Answers the calls of the process that started this one, until it lets go. */
export function serveCalls<Api extends Calls<Api>>(api: Api, onEnd: () => Promise<void>): void {
  process.on("message", (received) => {
    // Sent by `startProcess`, whose types are those of the same `Api`.
    const { id, name, argument } = received as Request
    const handler = api[name as keyof Api] as unknown as (argument: unknown) => Promise<unknown>
    handler(argument).then(
      (answer) => process.send?.({ id, answer: answer ?? null }),
      (error: unknown) =>
        process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    )
  })
  process.once("disconnect", () => void onEnd())
}

/** Tells the process that started this one something that it did not ask for. */
export function sendEvent(event: unknown): void {
  if (process.connected) process.send?.({ event })
}
