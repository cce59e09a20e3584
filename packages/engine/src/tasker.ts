import { randomUUID } from "node:crypto"
import { type Client, type ClosableClient, createClient } from "./client/create-client.ts"
import { createExports, type Exports } from "./client/exports/create-exports.ts"
import type { ExportRequest } from "./client/exports/export-request.ts"
import { checkOptions } from "./core/check-options.ts"
import type { Database } from "./core/database.ts"
import { TaskerError } from "./core/error.ts"
import { eventError } from "./core/events/event-error.ts"
import type { DatabaseFacts } from "./core/events/event-payloads.ts"
import type { EventSink } from "./core/events/event-sink.ts"
import type { Subscriber, SubscriberDefinition } from "./core/events/subscriber.ts"
import type { ChangeWatch } from "./core/events/change-watch.ts"
import type { Exporter, ExportSummary } from "./core/exporter.ts"
import { isObject } from "./core/is-object.ts"
import { createHints, HINTS, type Hint, type Hints } from "./core/hints.ts"
import { boundLogger, type Logger } from "./core/logger.ts"
import { flagRule, integerRule } from "./core/option-rules.ts"
import { createRedactor, type RedactOptions, type Redactor } from "./core/redact.ts"
import { redactRule } from "./core/redact-rules.ts"
import type { AnyWorkflow, WorkflowId } from "./core/workflow.ts"
import { connect, DEFAULT_DATABASE_URL } from "./database/connect.ts"
import { type DatabaseCallListener, type WatchedDatabase, watchCalls } from "./database/watch-calls.ts"
import {
  createRegistries,
  type DiscoveryFolders,
  fillRegistries,
  type Registries,
} from "./registry/create-registries.ts"
import type { HandlerRegistry, RegisteredWorkflow } from "./registry/handler-registry.ts"
import { logChange } from "./registry/log-change.ts"
import type { PluginRegistry } from "./registry/plugin-registry.ts"
import type { RegisterOptions, UnregisterOptions } from "./registry/registry.ts"
import type { SubscriberRegistry } from "./registry/subscriber-registry.ts"
import { type KnownWorkflow, KnownWorkflows } from "./known-workflows.ts"
import { createLogger, loggerByRules } from "./logging/create-logger.ts"
import { EventBus } from "./events/event-bus.ts"
import { loggedEvents } from "./events/logged-events.ts"
import { type Events, createEvents } from "./events/events.ts"
import { createFeeds } from "./events/feeds.ts"
import { createSubscriptions, type Subscriptions } from "./events/subscriptions.ts"
import { publishRegistryChange } from "./events/publish-registry-change.ts"
import { migrate } from "./store/migrate.ts"
import { isTracing } from "./tracing/find-tracer.ts"
import { traceTask } from "./tracing/task-span.ts"
import { onTracingTrouble } from "./tracing/tracing-trouble.ts"
import { CHANNEL, createNotifier, type Notifier } from "./worker/notifier.ts"
import { Worker, type WorkerSettings } from "./worker/worker.ts"
import {
  checkStopOptions,
  checkWorkerOptions,
  DEFAULT_WORKER_OPTIONS,
  type StopOptions,
  type WorkerOptions,
} from "./worker/worker-options.ts"

/** What a Tasker is made of. Every option has a default. */
export interface TaskerOptions {
  /**
   * Where tasks live: `postgres://…`, `embedded:DIR`, `pglite:DIR` or `pglite:memory`.
   *
   * Default: `embedded:./.tasker`, a PostgreSQL server that Tasker starts and finds again by itself.
   */
  readonly url?: string | undefined
  /** What this process can create tasks of and run. Default: none. */
  readonly workflows?: readonly AnyWorkflow[] | undefined
  /** What exports can be written with, beside what is built in. Default: none. */
  readonly plugins?: readonly Exporter[] | undefined
  /** Who is told what happens in this process, from its start; each made by `defineSubscriber`. Default: nobody. */
  readonly subscribers?: readonly Subscriber[] | undefined
  /**
   * Folders with workflows, plugins and subscribers, whose files are loaded at the start. A file that cannot be used is
   * logged as a warning, and keeps no other from being used; with `strict` it is an error.
   *
   * Default: none.
   */
  readonly discover?: DiscoveryFolders | undefined
  /**
   * Whether a workflow that changed under the same version takes that version's place, as long as no task of it
   * is live. Handy while developing; in production, a changed workflow is a new version.
   *
   * Default: false.
   */
  readonly replaceWorkflows?: boolean | undefined
  /**
   * Where Tasker writes what it does. `info` says what becomes of tasks, `debug` of each step too. Default: warnings and
   * errors on standard error, for people on a terminal, else as JSON.
   */
  readonly logger?: Logger | undefined
  /** What is secret in logs, events, spans and stored errors, beside what always is. Default: nothing. */
  readonly redact?: RedactOptions | undefined
  /** The most that an input or a result may take as JSON, in bytes. Default: 1,048,576 each. */
  readonly limits?: { readonly inputBytes?: number | undefined; readonly resultBytes?: number | undefined } | undefined
  /**
   * How many connections the pool holds at most, the listener's apart; 3 or more. A worker takes one for each lane and
   * one for its heartbeat; transactional steps share what is left. PGlite has one whatever is said.
   *
   * Default: 10.
   */
  readonly poolSize?: number | undefined
  /** Whether statements are prepared. PgBouncer in transaction mode breaks them: `false` there. Default: true. */
  readonly preparedStatements?: boolean | undefined
  /** Whether processes wake each other by LISTEN and NOTIFY. Without, everything works a poll later. Default: true. */
  readonly notifications?: boolean | undefined
}

/** A Tasker: creates tasks, looks after them, and runs them where `startWorker` was called. */
export interface Tasker extends Client {
  /** The workflows of this process. {@link registerWorkflow} adds one. */
  readonly workflows: Pick<HandlerRegistry, "get" | "find" | "list" | "namespaces" | "stats">
  /** The plugins of this process, by name and by format. */
  readonly plugins: PluginRegistry
  /** The subscribers of this process. One that is registered is told of events from then on, until it is unregistered. */
  readonly subscribers: SubscriberRegistry
  /** What happens in this process, and whom to tell. */
  readonly events: Events
  /** The workers of this process, those that are stopping left out. */
  readonly workers: readonly Worker[]
  /**
   * Calls `listener` after each statement that this process sent to its database, the `begin`, `commit` and `rollback` of
   * its transactions among them, for those who measure. Not told are migrations, and what the connection that listens for
   * notifications is asked.
   *
   * @returns a function that ends it; it may be called twice
   */
  onDatabaseCall(listener: DatabaseCallListener): () => void
  /** The durable subscriptions of all processes: where they stand, and what keeps them. `events.subscribe` makes them. */
  readonly subscriptions: Subscriptions
  /** Where the tasks live, without any password. */
  readonly databaseUrl: string
  /**
   * The URL by which another process on this machine, or `psql`, can join; `undefined` when none can, as with PGlite.
   * It holds the password: do not log it.
   */
  readonly joinUrl: string | undefined
  /**
   * Adds a workflow, and stores it: this process can create tasks of it from then on, and the workers that it starts from
   * then on run it. `replace` lets it take the place of another definition of its version, here and in the database, as long
   * as no task of that is live.
   *
   * @returns what stands now
   * @throws TaskerError `TASKER_WORKFLOW_INVALID` when it cannot be run, `TASKER_WORKFLOW_CHANGED` when its version is
   *   known with another definition, `TASKER_WORKFLOW_IN_USE` when that has live tasks, `TASKER_CLOSED`
   */
  registerWorkflow(workflow: AnyWorkflow, options?: RegisterOptions): Promise<RegisteredWorkflow>
  /**
   * Takes a workflow out of this process, which can create no tasks of it any more. The database keeps it, its tasks are
   * what they are, and workers that were started before go on running them.
   *
   * @returns whether there was one
   * @throws TaskerError `TASKER_OPTION_INVALID` when `id` is no object
   */
  unregisterWorkflow(id: WorkflowId, options?: UnregisterOptions): boolean
  /**
   * Starts a worker in this process.
   *
   * @throws TaskerError `TASKER_CONFIG_INVALID` when an option is unknown or out of its range, or the pool is too
   *   small for another worker
   */
  startWorker(options?: WorkerOptions): Promise<Worker>
  /**
   * Writes tasks, steps, history or metrics to a file or a stream, in a format that a plugin writes; `csv`, `json`, `jsonl`
   * and `prometheus` are built in. Read and written a page at a time, so that a million rows take no more memory than a
   * thousand, and no faster than the stream takes them.
   *
   * Each page is a statement of its own: a row is as it is when its page is read, and no transaction is held open, which
   * would keep the queue from being vacuumed for as long as the export takes. What is written after the start of the
   * export is not in it; neither is what a transaction that was open then commits later.
   *
   * @returns what was written, once it is whole
   * @throws TaskerError `TASKER_OPTION_INVALID` when the request or an option of the format is unknown or out of its range;
   *   `TASKER_PLUGIN_NOT_FOUND` when no plugin writes the format; `TASKER_EXPORT_FAILED` when the plugin threw, the target
   *   took no more, or reading failed; `TASKER_CLOSED`; or the reason of the signal. Nothing half-written is left
   *
   * @example
   * ```ts
   * await tasker.export({
   *   what: "tasks",
   *   format: "csv",
   *   to: "failed.csv",
   *   state: "error",
   *   since: new Date("2030-01-01"),
   *   options: { columns: ["taskId", "workflow", "finishedAt"], separator: ";" },
   * })
   * ```
   */
  export<Format extends string>(request: ExportRequest<Format>): Promise<ExportSummary>
  /**
   * Stops the workers of this process, ends its exports, lets subscribers be told what has happened (for 5 seconds at most), then closes
   * the database. May be called twice.
   *
   * @throws TaskerError `TASKER_OPTION_INVALID` when `timeoutMs` is out of its range
   */
  close(options?: StopOptions): Promise<void>
}

/** The most that an input or a result may take, unless options say otherwise: 1 MiB. */
const DEFAULT_LIMIT_BYTES = 1_048_576

/** How long a Tasker that is closed lets its subscribers be told what has happened. */
const DELIVERY_MS = 5_000

/**
 * Connects to the database, brings its schema up to date, and registers the workflows.
 *
 * @throws TaskerError `TASKER_CONFIG_INVALID` when an option is unknown or out of its range,
 *   `TASKER_DATABASE_UNAVAILABLE` and its kin when the database cannot be reached,
 *   `TASKER_WORKFLOW_CHANGED` when a version is known with another definition
 *
 * @example
 * ```ts
 * const tasker = await createTasker({ workflows: [processOrder] })
 * await tasker.startWorker()
 * const order = await tasker.createTask(processOrder, { cartId: "c_1" })
 * const { results } = await tasker.waitForTask(order)
 * await tasker.close()
 * ```
 */
export async function createTasker(options: TaskerOptions = {}): Promise<Tasker> {
  checkOptions("createTasker", options, RULES, "TASKER_CONFIG_INVALID")
  const redact = createRedactor(options.redact)
  const logger = loggerByRules(options.logger ?? createLogger({ level: "warn" }), options.redact)
  const bus = new EventBus({ now: () => new Date(), logger: boundLogger(logger, { component: "events" }), redact })
  const events = loggedEvents(bus, logger, redact)
  const registries = createRegistries({
    // Its handlers are given only what their patterns stand for, and its filter what they are.
    connect: (subscriber) => bus.subscribe(subscriber as SubscriberDefinition<string>),
    onChange: (change) => {
      logChange(boundLogger(logger, { component: "registry" }), change)
      publishRegistryChange(events, change)
    },
  })
  // Before anything is started: a workflow that breaks a rule needs no database to say so.
  await fillRegistries(registries, options)
  const { poolSize = 10, preparedStatements = true, notifications = true } = options
  const watched = watchCalls(
    await connect(options.url ?? DEFAULT_DATABASE_URL, {
      poolSize,
      preparedStatements,
      notifications,
      logger: boundLogger(logger, { component: "database" }),
    }),
  )
  const { database } = watched
  events.publish("database.connected", factsOf(database))
  try {
    await migrateAndTell(database, events)
    const known = new KnownWorkflows({ database, events, registry: registries.workflows })
    await known.storeAll(options.replaceWorkflows ?? false)
    const changes: ChangeWatch = { events, watchesEnds: isTracing, onEnded: (task) => traceTask(task, redact) }
    const told = { redact, bus, events, changes }
    return await openTasker({ ...watched, ...told, logger, registries, known, options, poolSize })
  } catch (error) {
    await database.close()
    throw error
  }
}

const RULES = {
  url: { rule: "text", accepts: (value: unknown) => typeof value === "string" },
  workflows: { rule: "a list of workflows", accepts: Array.isArray },
  plugins: { rule: "a list of plugins", accepts: Array.isArray },
  subscribers: { rule: "a list of subscribers", accepts: Array.isArray },
  discover: { rule: "an object of workflows, plugins and subscribers, each a path or a file: URL", accepts: isObject },
  replaceWorkflows: flagRule,
  logger: { rule: "an object with debug, info, warn and error", accepts: isLogger },
  redact: redactRule,
  limits: { rule: "an object of inputBytes and resultBytes, each an integer from 1 to 268435455", accepts: isLimits },
  poolSize: integerRule(3, 1_000),
  preparedStatements: flagRule,
  notifications: flagRule,
}

function isLogger(value: unknown): boolean {
  if (!isObject(value)) return false
  return ["debug", "info", "warn", "error"].every((method) => typeof Reflect.get(value, method) === "function")
}

function isLimits(value: unknown): boolean {
  if (!isObject(value)) return false
  return Object.entries(value).every(
    ([key, bytes]) =>
      ["inputBytes", "resultBytes"].includes(key)
      && (bytes === undefined || integerRule(1, 268_435_455).accepts(bytes)),
  )
}

function factsOf({ kind, displayUrl }: Database): DatabaseFacts {
  return { kind, url: displayUrl }
}

async function migrateAndTell(database: Database, events: EventSink): Promise<void> {
  const startedAt = performance.now()
  const migrations = await migrate(database)
  if (migrations.length === 0) return
  const durationMs = performance.now() - startedAt
  events.publish("database.migrated", { ...factsOf(database), migrations, durationMs })
}

interface Parts extends WatchedDatabase {
  readonly logger: Logger
  readonly redact: Redactor
  readonly bus: EventBus
  readonly events: EventSink
  readonly changes: ChangeWatch
  readonly registries: Registries
  readonly known: KnownWorkflows
  readonly options: TaskerOptions
  readonly poolSize: number
}

async function openTasker(parts: Parts): Promise<Tasker> {
  const { database, logger, redact, bus, events, registries, known } = parts
  const limits = limitsOf(parts.options)
  const hints = createHints()
  const notifier = openNotifier(parts)
  const stopListening = await listen(database, hints, notifier, events)
  const feeds = createFeeds({ database, hints, logger, redact, events, announce: () => notifier.follow() })
  const workers = new Set<Worker>()
  const client = openClient(parts, { limits, hints, notifier, workers })
  const exports = openExports(parts)
  const stopWatchingTracing = watchTracing(logger, redact)
  let closing: Promise<void> | undefined

  async function startWorker(workerOptions: WorkerOptions = {}): Promise<Worker> {
    if (closing !== undefined) throw closed()
    checkWorkerOptions(workerOptions)
    const workflows = known.list()
    const rooms = { ...workerRooms(parts), hints, notifier, workflows }
    const settings = workerSettings(workerOptions, limits.resultBytes, parts.poolSize - connectionsOf(workers))
    warnOfUnknownQueues(logger, workflows, workerOptions.queues)
    const worker = new Worker(rooms, settings)
    // Before it is registered, so that others see its connections taken, and close() waits for it.
    workers.add(worker)
    try {
      await worker.start()
    } catch (error) {
      workers.delete(worker)
      throw error
    }
    if (closing !== undefined) throw closed()
    return worker
  }

  async function close(closeOptions: StopOptions): Promise<void> {
    const stopped = [...workers].map((worker) => worker.stop(closeOptions))
    await Promise.all([...stopped, feeds.close(closeOptions.timeoutMs ?? 30_000)])
    await exports.close()
    notifier.close()
    client.close()
    stopWatchingTracing()
    await endTelling(parts, stopListening)
  }

  return {
    ...client,
    ...registries,
    events: createEvents(bus, feeds, () => registries.workflows.list().map(({ workflow }) => workflow.definition)),
    subscriptions: createSubscriptions(database),
    databaseUrl: database.displayUrl,
    joinUrl: database.joinUrl,
    // A worker that stops holds no connection.
    get workers() {
      return [...workers].filter((worker) => worker.connectionCount > 0)
    },
    onDatabaseCall: parts.onCall,
    startWorker,
    registerWorkflow: async (workflow, how) => await known.register(workflow, how),
    unregisterWorkflow: (id, how) => known.unregister(id, how),
    export: async (request) => await exports.run(request),
    close: async (closeOptions = {}) => {
      checkStopOptions("close", closeOptions)
      await (closing ??= close(closeOptions))
    },
  }
}

function openNotifier({ database, options }: Parts): Notifier {
  const { notifications: isEnabled = true } = options
  return createNotifier({ database, origin: randomUUID(), isEnabled, now: () => performance.now() })
}

/** @returns a function that ends it */
function watchTracing(logger: Logger, redact: Redactor): () => void {
  return onTracingTrouble((thrown) => {
    const error = eventError(thrown, redact)
    logger.warn({ component: "tracing", error }, "OpenTelemetry threw, which harms no step, and is not told again")
  })
}

interface ClientParts {
  readonly limits: ReturnType<typeof limitsOf>
  readonly hints: Hints
  readonly notifier: Notifier
  readonly workers: ReadonlySet<Worker>
}

function openClient({ database, redact, events, changes, known, options }: Parts, own: ClientParts): ClosableClient {
  const { limits, hints, notifier, workers } = own
  return createClient({
    database,
    hints,
    redact,
    events,
    changes,
    limits,
    workers: () => [...workers].map((worker) => worker.vitals),
    notifications: options.notifications ?? true,
    announce: (hint) => announce(hints, notifier, hint),
    findWorkflow: (workflow) => known.find(workflow),
  })
}

/** About a page of an export: what is read at once, and twice of it is held in memory. */
const EXPORT_PAGE = { rows: 1_000, bytes: 4_194_304 }

function openExports({ database, logger, redact, events, registries }: Parts): Exports {
  return createExports({
    database,
    logger: boundLogger(logger, { component: "export" }),
    events,
    exporters: registries.plugins,
    pageSize: EXPORT_PAGE,
    redact,
  })
}

function limitsOf({ limits }: TaskerOptions) {
  const { inputBytes = DEFAULT_LIMIT_BYTES, resultBytes = DEFAULT_LIMIT_BYTES } = limits ?? {}
  return { inputBytes, resultBytes }
}

/** Subscribers are told all but the end while the database is there, for they may need it. */
async function endTelling({ bus, database, events }: Parts, stopListening: () => Promise<void>): Promise<void> {
  const giveUpAt = performance.now() + DELIVERY_MS
  await bus.drained(DELIVERY_MS)
  await stopListening()
  await database.close()
  events.publish("database.closed", factsOf(database))
  await bus.close(Math.max(0, giveUpAt - performance.now()))
}

function closed(): TaskerError {
  return new TaskerError("TASKER_CLOSED", "this Tasker is closed")
}

/** What a worker shares with the rest of the process. */
function workerRooms({ database, logger, redact, events, changes }: Parts) {
  return { database, logger: boundLogger(logger, { component: "worker" }), redact, events, changes }
}

function connectionsOf(workers: Iterable<Worker>): number {
  return [...workers].reduce((sum, worker) => sum + worker.connectionCount, 0)
}

function workerSettings(options: WorkerOptions, resultBytes: number, freeConnections: number): WorkerSettings {
  const lanes = options.lanes ?? DEFAULT_WORKER_OPTIONS.lanes
  // One for each lane, one for the heartbeat; and one is left for the client.
  const maxTransactions = freeConnections - lanes - 2
  if (maxTransactions < 0) {
    throw new TaskerError(
      "TASKER_CONFIG_INVALID",
      `expected ${lanes + 2} free connections for a worker of ${lanes} lanes, got ${freeConnections}`,
      { hint: "raise poolSize, or lower lanes", details: { lanes, freeConnections } },
    )
  }
  return {
    name: options.name ?? DEFAULT_WORKER_OPTIONS.name,
    concurrency: options.concurrency ?? DEFAULT_WORKER_OPTIONS.concurrency,
    leaseMs: options.leaseMs ?? DEFAULT_WORKER_OPTIONS.leaseMs,
    pollMs: options.pollMs ?? DEFAULT_WORKER_OPTIONS.pollMs,
    lanes,
    queues: options.queues,
    maxTransactions: Math.max(1, maxTransactions),
    resultBytes,
  }
}

/** A queue that no workflow uses may be meant for later, so it is no error; but nothing will ever come out of it. */
function warnOfUnknownQueues(
  logger: Logger,
  workflows: readonly KnownWorkflow[],
  queues: readonly string[] = [],
): void {
  const known = new Set(workflows.flatMap(({ routes }) => routes.map(({ queue }) => queue)))
  const unknown = queues.filter((queue) => !known.has(queue))
  if (unknown.length > 0) logger.warn({ unknown, known: [...known] }, "no workflow of this process has these queues")
}

async function listen(
  database: Database,
  hints: Hints,
  notifier: Notifier,
  events: EventSink,
): Promise<() => Promise<void>> {
  return database.listen(
    CHANNEL,
    (payload) => {
      for (const hint of notifier.read(payload)) hints.emit(hint)
    },
    // While nobody listened, anything may have happened.
    () => {
      for (const hint of HINTS) hints.emit(hint)
      events.publish("database.listener_restored", factsOf(database))
    },
  )
}

function announce(hints: Hints, notifier: Notifier, hint: Hint): void {
  hints.emit(hint)
  notifier.notify(hint)
}
