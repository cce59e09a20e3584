import { afterEach, expect, test } from "vitest"
import { databaseKinds } from "../acceptance/databases.ts"
import { type LogLine, type ParcelProcess, startParcelProcess } from "./parcel-process.ts"

const servers = (await databaseKinds()).filter(({ kind }) => kind !== "pglite")
const processes: ParcelProcess[] = []

afterEach(async () => await Promise.all(processes.splice(0).map((each) => each.close())))

async function start(url: string): Promise<ParcelProcess> {
  const started = await startParcelProcess(url)
  processes.push(started)
  return started
}

/** What a log says of a task, with the step; every line that names the task anywhere must have its correlation id. */
function story(lines: readonly LogLine[], taskId: string, correlationId: string): readonly string[] {
  // A child's correlation id may be its parent's id.
  const own = lines.filter((line) => JSON.stringify({ ...line, correlationId: "" }).includes(taskId))
  for (const line of own) expect(line).toMatchObject({ taskId, correlationId, namespace: "shop", version: "1.0.0" })
  return own.map(({ message, step }) => `${String(message)} ${typeof step === "string" ? step : ""}`.trim())
}

test.each(servers)(
  "every line about a task has its correlation id, whichever process writes it, on $kind",
  async ({ newUrl }) => {
    const url = await newUrl()
    const creator = await start(url)
    const worker = await start(url)
    await worker.tell({ do: "work", name: "first" })
    const parcel = await creator.tell({ do: "create", workflow: "parcel", correlationId: "req-7" })
    const unnamed = await creator.tell({ do: "create", workflow: "parcel" })
    const notices = [await worker.told("created"), await worker.told("created")]
    for (const taskId of [parcel, unnamed, ...notices]) await creator.tell({ do: "await", taskId })

    const held = await creator.tell({ do: "create", workflow: "held", correlationId: "req-8" })
    expect(await worker.told("holds")).toBe(held)
    await worker.kill()
    const rescuer = await start(url)
    await rescuer.tell({ do: "work", name: "second" })
    expect(await rescuer.told("holds")).toBe(held)
    for (const command of ["pause", "resume", "cancel", "await"] as const)
      await creator.tell({ do: command, taskId: held })
    await Promise.all([creator.close(), rescuer.close()])

    const run = [
      "the task began",
      "the step was claimed pack",
      "packed pack",
      "the step is complete pack",
      "the step was claimed label",
      "the attempt failed, and another follows label",
      "the step was claimed label",
      "the step is complete label",
      "the step was claimed send",
      "the step is complete send",
      "the task is complete",
    ]
    for (const [taskId, correlationId] of [
      [parcel, "req-7"],
      [unnamed, unnamed],
    ] as const) {
      expect(story(creator.lines(), taskId, correlationId)).toEqual(["the task was created"])
      expect(story(worker.lines(), taskId, correlationId)).toEqual(run)
    }
    const children = notices.map(
      (taskId) => worker.lines().find((line) => line["taskId"] === taskId)?.["correlationId"],
    )
    expect(new Set(children)).toEqual(new Set(["req-7", unnamed]))
    for (const [index, taskId] of notices.entries()) {
      const lines = story(worker.lines(), taskId, String(children[index]))
      // The lane may begin it before the handler that created it has the answer.
      expect(lines.filter((line) => line === "the task was created")).toHaveLength(1)
      expect(lines.filter((line) => line !== "the task was created")).toEqual([
        "the task began",
        "the step was claimed mail",
        "mailed mail",
        "the step is complete mail",
        "the task is complete",
      ])
    }

    const operations = ["the task was created", "the task was paused", "the task was resumed"]
    expect(story(creator.lines(), held, "req-8")).toEqual([
      ...operations,
      "the step was cancelled hold",
      "the task was cancelled",
    ])
    expect(story(worker.lines(), held, "req-8")).toEqual(["the task began", "the step was claimed hold"])
    // Its heartbeat takes the step back, and its lane may claim it before the answer to that is there.
    expect(story(rescuer.lines(), held, "req-8").toSorted()).toEqual([
      "the step was claimed hold",
      "the step was taken back from a lost worker hold",
    ])
  },
  60_000,
)
