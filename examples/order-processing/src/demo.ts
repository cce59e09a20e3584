import { randomUUID } from "node:crypto"
import { createTasker, isTaskerError, type ResultsOf, type TaskHandle, type Tasker } from "@tasker/engine"
import { z } from "zod"
import { type OrderProcessing, orderProcessing } from "./order-processing.ts"
import { DECLINED_TOKEN, GOOD_TOKEN } from "./payment-tokens.ts"
import { type LiveFeed, startLiveFeed } from "./report/live-feed.ts"
import { createNoteLogger } from "./report/note-logger.ts"
import { createPaint, formatMs, type Paint } from "./report/paint.ts"
import { type StepRun, stepRuns } from "./report/step-runs.ts"
import { renderTimeline } from "./report/timeline.ts"
import { renderTotals } from "./report/totals.ts"
import type { ShopConfig } from "./shop-config.ts"
import { type ShopServer, startShopServer } from "./shop/shop-server.ts"

export interface DemoOptions {
  /** Default: an embedded PostgreSQL in `./.tasker`. */
  readonly databaseUrl?: string | undefined
  /** A live shop. Default: one that misbehaves, on loopback. */
  readonly shopUrl?: string | undefined
  readonly isColourful: boolean
  readonly print: (line: string) => void
  /** Ends the demo early. Orders that are not done stay in the database, and go on at the next start. */
  readonly signal: AbortSignal
}

/**
 * Takes six orders, watches them, helps one of them, and reports.
 *
 * @returns whether all six are complete
 */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const shop = options.shopUrl === undefined ? await startShopServer() : null
  try {
    const config: ShopConfig = { shopUrl: shop?.url ?? options.shopUrl ?? "", hasPayments: shop !== null }
    const workflow = orderProcessing(config)
    const url = options.databaseUrl
    const paint = createPaint(options.isColourful)
    const logger = createNoteLogger(options.print, paint)
    const tasker = await createTasker({ ...(url === undefined ? {} : { url }), workflows: [workflow], logger })
    try {
      return await takeOrders({ ...options, tasker, workflow, config, shop, paint })
    } finally {
      await tasker.close()
    }
  } finally {
    await shop?.close()
  }
}

interface Demo extends DemoOptions {
  readonly tasker: Tasker
  readonly workflow: OrderProcessing
  readonly config: ShopConfig
  readonly shop: ShopServer | null
  readonly paint: Paint
}

/** One order that was taken: its task, and what to call it. */
interface TakenOrder {
  readonly task: TaskHandle<ResultsOf<OrderProcessing>>
  readonly label: string
  readonly index: number
}

async function takeOrders(demo: Demo): Promise<boolean> {
  const { tasker, workflow, print, paint } = demo
  printHeader(demo)
  await tasker.startWorker()
  const feed = startLiveFeed({
    print: (line) => print(withoutShop(demo, line)),
    paint,
    getHistory: (taskId) => tasker.getHistory(taskId),
    maxAttempts: (step) => workflow.definition.steps.find(({ name }) => name === step)?.maxAttempts ?? 1,
  })
  try {
    await goOnWithEarlierOrders(demo, feed)
    const orders = await createOrders(demo, feed)
    const failed = await ordersThatFail(demo, orders)
    await feed.flush()
    for (const order of failed) await helpOrder(demo, feed, order)
    await feed.stop()
    return await report(demo, orders)
  } finally {
    await feed.stop()
  }
}

function printHeader({ tasker, workflow, config, shop, print, paint }: Demo): void {
  const { namespace, name, version } = workflow
  print(paint.bold("Tasker: order processing"))
  print(`${paint.dim("database  ")}${tasker.databaseUrl}`)
  print(
    `${paint.dim("shop      ")}${config.shopUrl}${shop === null ? " (live)" : " (on this machine, with seeded faults)"}`,
  )
  print(`${paint.dim("workflow  ")}${namespace}/${name} ${version}`)
  print("")
  print(paint.dim("                  ┌─ check_stock ──┐"))
  print(paint.dim("  validate_cart ──┼─ price_order ──┴─ charge_card ─┐"))
  print(paint.dim("                  └─ find_customer ────────────────┴─ create_order ── send_confirmation"))
  print("")
}

/** What the shop is called is in the header; here it would only make lines long. */
function withoutShop({ config }: Demo, line: string): string {
  return line.replaceAll(config.shopUrl, "")
}

/** A demo that was interrupted left its orders in the database. The worker takes them up again by itself. */
async function goOnWithEarlierOrders({ tasker, workflow, print }: Demo, feed: LiveFeed): Promise<void> {
  const { namespace, name } = workflow
  const { tasks } = await tasker.listTasks({ namespace, workflow: name, state: ["pending", "in_progress"] })
  if (tasks.length === 0) return
  print(`${tasks.length} unfinished from an earlier run, going on with them:`)
  tasks.forEach(({ taskId }, index) => feed.follow({ taskId, label: `~${index + 1}`, index }))
}

async function createOrders({ tasker, workflow, print }: Demo, feed: LiveFeed): Promise<readonly TakenOrder[]> {
  const runId = randomUUID().slice(0, 8)
  const orders: TakenOrder[] = []
  for (const cartId of [1, 2, 3, 4, 5, 6]) {
    const input = { cartId, paymentToken: cartId === 5 ? DECLINED_TOKEN : GOOD_TOKEN }
    const request = {
      identity: { strategy: "key", key: `order-${runId}-${cartId}` },
      tags: ["demo"],
      initiator: "web shop",
    } as const
    const task = await tasker.createTask(workflow, input, request)
    orders.push({ task, label: `#${cartId}`, index: cartId - 1 })
    if (cartId === 1) {
      const again = await tasker.createTask(workflow, input, request)
      const isSame = !again.created && again.taskId === task.taskId
      print(`The first customer clicked twice: ${isSame ? "still one task" : "two tasks"}.`)
    }
  }
  // Only now, or that line would stand somewhere among theirs.
  for (const order of orders) feed.follow({ ...order, taskId: order.task.taskId })
  return orders
}

async function ordersThatFail({ tasker, signal }: Demo, orders: readonly TakenOrder[]) {
  const outcomes = await Promise.all(
    orders.map(async (order) => {
      try {
        await tasker.waitForTask(order.task, { signal })
        return null
      } catch (error) {
        if (isTaskerError(error, "TASKER_TASK_FAILED")) return order
        throw error
      }
    }),
  )
  return outcomes.filter((order) => order !== null)
}

/** What an operator does about a declined card: the customer paid in another way, so the charge has its result. */
async function helpOrder(demo: Demo, feed: LiveFeed, { task, label }: TakenOrder): Promise<void> {
  const { tasker, print, paint, signal } = demo
  const steps = await tasker.getSteps(task)
  const failed = steps.filter(({ state }) => state === "error")
  const context = await tasker.getExecutionContext(task)
  print("")
  print(paint.bold(`Order ${label} needs a person.`))
  print(
    paint.dim(`  its status is ${context.executionStatus}, and the action recommended ${context.recommendedAction}`),
  )
  for (const { name, error } of failed) print(withoutShop(demo, `  ${name}: ${error?.message ?? "no reason given"}`))
  const price = steps.find(({ name }) => name === "price_order")
  if (failed.some(({ name }) => name !== "charge_card") || price?.state !== "complete") {
    print("  This demo only knows what to do about a card that was declined.")
    return
  }
  const { totalCents } = z.object({ totalCents: z.number() }).parse(price.result)
  await tasker.resolveStep(task, "charge_card", {
    result: { chargeId: "bank_transfer_20114", paidCents: totalCents },
    by: "maria@shop.example",
    reason: "paid by bank transfer",
  })
  await tasker.waitForTask(task, { signal })
  await feed.flush()
}

async function report(demo: Demo, orders: readonly TakenOrder[]): Promise<boolean> {
  const { tasker, workflow, print, paint, shop } = demo
  const stepNames = workflow.definition.steps.map(({ name }) => name)
  print("")
  print(paint.bold("Timelines"))
  print(paint.dim("█ runs   ✗ fails   ░ waits to try again   · waits for a person   ◆ a person settles it"))
  const allRuns: StepRun[] = []
  const times: number[] = []
  let completeCount = 0
  for (const order of orders) {
    const history = await tasker.getHistory(order.task)
    const runs = stepRuns(history, stepNames)
    allRuns.push(...runs)
    times.push(...history.map(({ at }) => at.getTime()))
    const { state } = await tasker.getTask(order.task)
    if (state === "complete") completeCount += 1
    print("")
    print(await describeOrder(demo, order, state, history))
    for (const line of renderTimeline(runs, paint)) print(`    ${line}`)
  }
  const elapsedMs = Math.max(...times) - Math.min(...times)
  const violations = await tasker.verify()
  const counts = { orderCount: orders.length, completeCount, violationCount: violations.length }
  print("")
  print(paint.bold("Totals"))
  for (const line of renderTotals({ ...counts, runs: allRuns, elapsedMs, shop: shop?.stats ?? null }, paint))
    print(line)
  return completeCount === orders.length && violations.length === 0
}

async function describeOrder(
  { tasker, paint, signal }: Demo,
  { task, label, index }: TakenOrder,
  state: string,
  history: readonly { readonly at: Date }[],
): Promise<string> {
  const elapsedMs = (history.at(-1)?.at.getTime() ?? 0) - (history[0]?.at.getTime() ?? 0)
  const end = `${state} in ${formatMs(elapsedMs)}`
  if (state !== "complete") return `${paint.order(index, label)}  ${paint.bad(end)}`
  const { results } = await tasker.waitForTask(task, { signal })
  const { find_customer: customer, price_order: price, create_order: order } = results
  const facts = [customer.name, `${(price.totalCents / 100).toFixed(2)} EUR`, `order ${order.orderId}`].join(" · ")
  return `${paint.order(index, label)}  ${paint.bold(facts)}  ${paint.good(end)}`
}
