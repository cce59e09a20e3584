import { isTaskerError } from "../../core/error.ts"
import { at } from "../test-clock.ts"
import type { TestStore, TestWorkflow } from "../test-store.ts"
import type { TestAdvanced, TestClaim, TestOutcome, TestWorker } from "../test-worker.ts"
import type { Command, Fate, RandomRun } from "./random-run.ts"
import { TaskModel, type Verdict } from "./task-model.ts"

const LEASE_MS = 15_000

interface PlayedTask {
  readonly taskId: string
  readonly model: TaskModel
}

/** A worker of the run, and what it believes to hold. */
interface PlayedWorker {
  readonly worker: TestWorker
  held: readonly TestClaim[]
  /** What it held once: nothing that it says of these may be believed. */
  stale: readonly TestClaim[]
  beatMs: number
  isLost: boolean
}

/**
 * Plays a random run on the store and on the model side by side. After each
 * command both must agree on what it came to; in the end, when everything was
 * left to run out, on the state of every task and step.
 *
 * @throws Error that says where they differ
 */
export async function playRun(store: TestStore, run: RandomRun): Promise<readonly PlayedTask[]> {
  const player = await RunPlayer.start(store, run)
  for (const command of run.commands) await player.play(command)
  await player.drain()
  await player.compare()
  return player.tasks
}

class RunPlayer {
  readonly tasks: readonly PlayedTask[]
  readonly #store: TestStore
  readonly #run: RandomRun
  readonly #workflow: TestWorkflow
  readonly #workers: PlayedWorker[]
  #nowMs = 0

  private constructor(
    store: TestStore,
    run: RandomRun,
    parts: { readonly workflow: TestWorkflow; readonly tasks: readonly PlayedTask[]; readonly workers: PlayedWorker[] },
  ) {
    this.#store = store
    this.#run = run
    this.#workflow = parts.workflow
    this.tasks = parts.tasks
    this.#workers = parts.workers
  }

  static async start(store: TestStore, run: RandomRun): Promise<RunPlayer> {
    const { steps } = run
    const workflow = await store.define(
      Object.fromEntries(
        steps.map(({ parents, skippable, maxAttempts, priority }, stepNo) => [
          nameOf(stepNo),
          // Drawn from 1 to 4.
          { dependsOn: parents.map(nameOf), skippable, maxAttempts, priority: priority as 1 | 2 | 3 | 4 | null },
        ]),
      ),
    )
    const created = await store.createTasks(
      run.tasks.map(({ priority, bypass, runAtMs }) => ({
        workflow_id: workflow.workflowId,
        input: { priority },
        priority,
        bypass: bypass.map(nameOf),
        run_at: at(runAtMs),
      })),
    )
    const tasks = created.map(({ taskId }, index) => {
      const { priority, bypass, runAtMs } = pick(run.tasks, index)
      return { taskId, model: new TaskModel(steps, priority, bypass, runAtMs) }
    })
    const workers: PlayedWorker[] = []
    for (let index = 0; index < run.workerCount; index++) workers.push(await newWorker(store, workflow, 0))
    return new RunPlayer(store, run, { workflow, tasks, workers })
  }

  async play(command: Command): Promise<void> {
    switch (command.kind) {
      case "tick":
        this.#nowMs += command.ms
        return
      case "advance":
        return await this.#advance(this.#worker(command.worker), command.room, command.ending)
      case "rescue":
        return await this.#rescue()
      case "beat":
        return await this.#beat(this.#worker(command.worker))
      case "stop":
        return await this.#stop(command.worker % this.#workers.length)
      case "stale":
        return await this.#answerLate(this.#worker(command.worker))
      case "recover":
        return await this.#recover(this.#worker(command.worker), command.known)
      case "step": {
        const { taskId, model } = this.#task(command.task)
        const stepNo = command.step % this.#run.steps.length
        const values = command.operation === "resolve_step" ? ['{"by":"hand"}'] : []
        const change = this.#store.call<boolean>(
          command.operation,
          [taskId, nameOf(stepNo), ...values, "ann", "why"],
          at(this.#nowMs),
        )
        return agree(command, await verdictOf(change), model.operateStep(command.operation, stepNo, this.#nowMs))
      }
      case "task": {
        const { taskId, model } = this.#task(command.task)
        const isRetry = command.operation === "retry_task"
        const change = this.#store.call<boolean>(
          isRetry ? "retry_steps" : command.operation,
          isRetry ? [taskId, null, "ann", "why"] : [taskId, "ann", "why"],
          at(this.#nowMs),
        )
        return agree(command, await verdictOf(change), model.operateTask(command.operation, this.#nowMs))
      }
    }
  }

  /** Resumes what is paused, and lets everything that can move come to its end. */
  async drain(): Promise<void> {
    for (const [index] of this.tasks.entries()) await this.play({ kind: "task", operation: "resume_task", task: index })
    for (let turn = 0; turn < 2_000; turn++) {
      const player = this.#worker(turn)
      if (player.isLost)
        this.#workers[turn % this.#workers.length] = await newWorker(this.#store, this.#workflow, this.#nowMs)
      else await this.#advance(player, 100, 100)
      if (this.#workers.some(({ held }) => held.length > 0) || this.#readyCount() > 0) continue
      const due = this.tasks.map(({ model }) => model.nextDueMs(this.#nowMs)).filter((ms) => ms !== undefined)
      if (due.length === 0) return
      this.#nowMs = Math.min(...due)
    }
    throw new Error("the tasks did not come to an end")
  }

  async compare(): Promise<void> {
    for (const { taskId, model } of this.tasks) {
      const [task, steps] = [await this.#store.task(taskId), await this.#store.steps(taskId)]
      agree(`task ${taskId}`, task.state, model.state)
      for (const [stepNo, step] of model.steps.entries()) {
        const row = steps[stepNo]
        agree(
          `step ${stepNo} of ${taskId}`,
          [row?.state, row?.attempts, row?.max_attempts],
          [step.state, step.attempts, step.limit],
        )
      }
    }
  }

  async #advance(player: PlayedWorker, room: number, ending: number): Promise<void> {
    if (player.isLost) return
    const ended = player.held.slice(0, ending)
    const readyBefore = this.#ready()
    const turn = await player.worker.advance({
      outcomes: ended.map((claim) => outcomeOf(claim, this.#fate(claim))),
      room,
      now: at(this.#nowMs),
    })
    player.held = player.held.slice(ending)
    player.stale = [...player.stale, ...ended]
    const endedTasks = this.#finish(ended, turn)
    agree("ended", turn.ended.map(({ taskId, state }) => `${taskId} ${state}`).toSorted(), endedTasks.toSorted())
    for (const claim of turn.claimed) this.#modelOf(claim).claim(claim.stepNo, this.#nowMs)
    player.held = [...player.held, ...turn.claimed]
    if (turn.claimed.length > room)
      throw new Error(`${turn.claimed.length} steps were given to a worker with room for ${room}`)
    if (turn.claimed.length < room && this.#readyCount() > 0)
      throw new Error("a step that was ready was not given, and there was room")
    this.#assertUrgentFirst(readyBefore, turn.claimed)
  }

  /** Returns the tasks that ended by it. What the store refused must have been cancelled meanwhile. */
  #finish(ended: readonly TestClaim[], turn: TestAdvanced): readonly string[] {
    const before = new Map(this.tasks.map(({ taskId, model }) => [taskId, model.state]))
    for (const claim of ended) {
      const model = this.#modelOf(claim)
      const step = model.steps[claim.stepNo]
      const isHeld = step?.state === "in_progress" && step.attempts === claim.attempt
      agree(
        "refused",
        turn.lost.some(({ taskId, stepNo }) => taskId === claim.taskId && stepNo === claim.stepNo),
        !isHeld,
      )
      const { kind, delayMs } = this.#fate(claim)
      if (isHeld) model.finish(claim.stepNo, kind, this.#nowMs, delayMs)
    }
    return this.tasks.flatMap(({ taskId, model: { state } }) =>
      state !== before.get(taskId) && (state === "complete" || state === "error") ? [`${taskId} ${state}`] : [],
    )
  }

  /** No step of those that were ready before was passed over for a less urgent one of them. */
  #assertUrgentFirst(readyBefore: readonly string[], claimed: readonly TestClaim[]): void {
    const taken = new Set(claimed.map(keyOf))
    const priorities = (keys: readonly string[]) =>
      keys.map((key) => {
        const [taskId = "", stepNo = ""] = key.split(" ")
        return this.#modelOf({ taskId }).priorityOf(Number(stepNo))
      })
    const leastTaken = Math.max(...priorities(readyBefore.filter((key) => taken.has(key))))
    const mostLeft = Math.min(...priorities(readyBefore.filter((key) => !taken.has(key))))
    if (mostLeft < leastTaken) throw new Error(`priority ${leastTaken} was taken, and priority ${mostLeft} left`)
  }

  async #rescue(): Promise<void> {
    const expected = this.#workers.filter(({ beatMs, isLost }) => !isLost && beatMs < this.#nowMs - LEASE_MS)
    const rescued = await this.#store.rescue(at(this.#nowMs))
    const mine = rescued.filter(({ worker_id: id }) => this.#workers.some(({ worker }) => worker.workerId === id))
    agree(
      "rescued",
      mine.map(({ worker_id: id }) => String(id)).toSorted(),
      expected.map(({ worker }) => String(worker.workerId)).toSorted(),
    )
    for (const player of expected) {
      player.isLost = true
      this.#takeBack(player, player.held, "retry")
    }
  }

  async #beat(player: PlayedWorker): Promise<void> {
    if (player.isLost) return
    const gone = await player.worker.heartbeat(player.held, at(this.#nowMs))
    player.beatMs = this.#nowMs
    const isGone = (claim: TestClaim) => this.#modelOf(claim).steps[claim.stepNo]?.state !== "in_progress"
    agree("gone", gone.map(keyOf).toSorted(), player.held.filter(isGone).map(keyOf).toSorted())
    player.held = player.held.filter((claim) => !isGone(claim))
  }

  async #stop(index: number): Promise<void> {
    const player = this.#worker(index)
    const held = this.#stillHeld(player.held)
    agree("handed back", await player.worker.stop(at(this.#nowMs)), player.isLost ? 0 : held.length)
    if (!player.isLost) this.#takeBack(player, player.held, "handed_back")
    this.#workers[index] = await newWorker(this.#store, this.#workflow, this.#nowMs)
  }

  async #recover(player: PlayedWorker, known: number): Promise<void> {
    if (player.isLost) return
    const forgotten = player.held.slice(known)
    agree(
      "handed back",
      await player.worker.recover(player.held.slice(0, known), at(this.#nowMs)),
      this.#stillHeld(forgotten).length,
    )
    this.#takeBack(player, forgotten, "handed_back")
  }

  #takeBack(player: PlayedWorker, claims: readonly TestClaim[], how: "retry" | "handed_back"): void {
    for (const claim of this.#stillHeld(claims)) this.#modelOf(claim).finish(claim.stepNo, how, this.#nowMs)
    player.held = player.held.filter((claim) => !claims.includes(claim))
    player.stale = [...player.stale, ...claims]
  }

  /** A late answer changes nothing. That it is so shows in the comparison at the end. */
  async #answerLate(player: PlayedWorker): Promise<void> {
    const [claim] = player.stale.slice(-1)
    if (claim === undefined) return
    // It may hold a later attempt of the same step by now; then this is about the earlier one.
    const answer = player.worker.advance({
      outcomes: [{ claim, kind: "complete", value: "late" }],
      room: 0,
      now: at(this.#nowMs),
    })
    if (player.isLost) return agree("late answer of a lost worker", await codeOf(answer), "TASKER_LEASE_LOST")
    agree("late answer", (await answer).lost.map(keyOf), [keyOf(claim)])
  }

  #stillHeld(claims: readonly TestClaim[]): readonly TestClaim[] {
    return claims.filter((claim) => this.#modelOf(claim).steps[claim.stepNo]?.state === "in_progress")
  }

  #ready(): readonly string[] {
    return this.tasks.flatMap(({ taskId, model }) =>
      model.steps.flatMap((_step, stepNo) => (model.isReady(stepNo, this.#nowMs) ? [`${taskId} ${stepNo}`] : [])),
    )
  }

  #readyCount(): number {
    return this.#ready().length
  }

  #fate({ stepNo, attempt }: TestClaim): Fate {
    const { fates } = pick(this.#run.steps, stepNo)
    return pick(fates, Math.min(attempt, fates.length) - 1)
  }

  #worker(index: number): PlayedWorker {
    return pick(this.#workers, index)
  }

  #task(index: number): PlayedTask {
    return pick(this.tasks, index)
  }

  #modelOf({ taskId }: { readonly taskId: string }): TaskModel {
    const task = this.tasks.find((candidate) => candidate.taskId === taskId)
    if (task === undefined) throw new Error(`a step of another run was given: ${taskId}`)
    return task.model
  }
}

async function newWorker(store: TestStore, workflow: TestWorkflow, nowMs: number): Promise<PlayedWorker> {
  const worker = await store.worker(workflow, { leaseMs: LEASE_MS, now: at(nowMs) })
  return { worker, held: [], stale: [], beatMs: nowMs, isLost: false }
}

/** The entry at an index, counted round and round. */
function pick<T>(entries: readonly T[], index: number): T {
  const entry = entries[index % entries.length]
  if (entry === undefined) throw new Error("nothing to pick from")
  return entry
}

function nameOf(stepNo: number): string {
  return `s${stepNo}`
}

function keyOf({ taskId, stepNo }: { readonly taskId: string; readonly stepNo: number }): string {
  return `${taskId} ${stepNo}`
}

function outcomeOf(claim: TestClaim, { kind, delayMs }: Fate): TestOutcome {
  return { claim, kind, value: { attempt: claim.attempt }, delayMs }
}

async function verdictOf(change: Promise<boolean>): Promise<Verdict> {
  try {
    return await change
  } catch (error) {
    if (isTaskerError(error)) return error.code
    throw error
  }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return "none"
  } catch (error) {
    if (isTaskerError(error)) return error.code
    throw error
  }
}

function agree(what: Command | string, actual: unknown, expected: unknown): void {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (left !== right) throw new Error(`${JSON.stringify(what)}: the store says ${left}, the model ${right}`)
}
