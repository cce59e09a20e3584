import { type Contestant, startEngine } from "./contestants.ts"
import { rateOf } from "./measure-workload.ts"
import { median } from "./measure/statistics.ts"
import type { BenchOptions } from "./options.ts"
import type { Server } from "./server.ts"
import { findWorkload } from "./workloads.ts"

/** Whether throughput stays what it is when a table gets long. */
export interface Flatness {
  readonly workload: string
  readonly kind: "finished" | "delayed"
  /** How many steps were there before. */
  readonly backlog: number
  readonly stepsPerSecond: number
  /** In a database that was empty at first, in turns with the other. */
  readonly freshStepsPerSecond: number
  /** The median of the rounds' ratios. */
  readonly ratioToFresh: number
  readonly ratioRange: readonly [number, number]
}

interface Contender {
  readonly engine: Contestant
  readonly database: string
}

/** Runs a workload in turns in an empty database and in one with a long history, or a long queue. */
export async function measureFlatness(
  kind: Flatness["kind"],
  options: BenchOptions,
  server: Server,
  log: (line: string) => void,
): Promise<Flatness> {
  // A delayed task has as many rows in the queue as it has first steps; with one step each, nothing else is made.
  const workload = findWorkload(kind === "finished" ? "linear_4" : "single_step")
  const stepsPerTask = workload.parents.length
  const fresh = await open(`bench_flat_fresh`, workload.name, options, server)
  const full = await open(`bench_flat_${kind}`, workload.name, options, server)
  try {
    const backlogTasks = Math.ceil(options.backlog / stepsPerTask)
    const startedAt = performance.now()
    if (kind === "finished") await full.engine.run(backlogTasks)
    else await delayTasks(full.database, workload.name, backlogTasks, server)
    log(`${options.backlog.toLocaleString("en")} ${kind} steps in ${seconds(startedAt)} s`)
    // What autovacuum does sooner or later; it would otherwise do it in the middle of some rounds and not of others.
    await vacuum(full.database, server)
    const tasks = Math.ceil(options.steps / stepsPerTask)
    // The same of both, so that neither has older code or colder pages.
    for (const each of [fresh, full]) await each.engine.run(Math.ceil(tasks / 5))
    const rounds: { full: number; fresh: number }[] = []
    for (let round = 0; round < options.rounds; round++) {
      const rates = { full: 0, fresh: 0 }
      for (const name of round % 2 === 0 ? (["full", "fresh"] as const) : (["fresh", "full"] as const)) {
        await server.query("checkpoint")
        rates[name] = rateOf(await { full, fresh }[name].engine.run(tasks), stepsPerTask)
      }
      rounds.push(rates)
    }
    const ratios = rounds.map((rates) => rates.full / rates.fresh)
    return {
      workload: workload.name,
      kind,
      backlog: options.backlog,
      stepsPerSecond: median(rounds.map((rates) => rates.full)),
      freshStepsPerSecond: median(rounds.map((rates) => rates.fresh)),
      ratioToFresh: median(ratios),
      ratioRange: [Math.min(...ratios), Math.max(...ratios)],
    }
  } finally {
    for (const { engine, database } of [fresh, full]) {
      await engine.end()
      await server.dropDatabase(database)
    }
  }
}

async function open(database: string, workload: string, options: BenchOptions, server: Server): Promise<Contender> {
  const url = await server.createDatabase(database)
  const { concurrency, lanes } = options
  return { engine: await startEngine(1, { url, workload, concurrency, lanes }), database }
}

const TASKS_PER_STATEMENT = 10_000

/** From SQL, as any client of PostgreSQL may: a million requests would take Node longer than the database. */
async function delayTasks(database: string, workload: string, tasks: number, server: Server): Promise<void> {
  const client = await server.connect(database)
  try {
    for (let from = 0; from < tasks; from += TASKS_PER_STATEMENT) {
      await client.query(
        `select count(*) from tasker.create_tasks((
          select jsonb_agg(jsonb_build_object(
            'namespace', 'bench', 'workflow', $1::text, 'version', '1.0.0', 'input', '{}'::jsonb,
            'run_at', now() + interval '1 day' + number * interval '1 millisecond'
          ))
          from generate_series(1, $2::integer) as number
        ), false)`,
        [workload, Math.min(TASKS_PER_STATEMENT, tasks - from)],
      )
    }
  } finally {
    await client.end()
  }
}

async function vacuum(database: string, server: Server): Promise<void> {
  const client = await server.connect(database)
  try {
    await client.query("vacuum (analyze)")
  } finally {
    await client.end()
  }
}

function seconds(startedAt: number): string {
  return ((performance.now() - startedAt) / 1_000).toFixed(1)
}
