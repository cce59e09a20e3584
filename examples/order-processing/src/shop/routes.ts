import { cart, type Cart, CARTS, PRODUCTS, USERS } from "./catalogue.ts"
import { DECLINED_TOKEN } from "../payment-tokens.ts"

export interface ShopRequest {
  readonly method: string
  readonly path: string
  /** The fields that were asked for; all when empty. */
  readonly select: readonly string[]
  readonly idempotencyKey: string | undefined
  readonly body: unknown
}

export interface ShopAnswer {
  readonly status: number
  readonly body: unknown
}

/** What happened in the shop. */
export interface ShopStats {
  /** Requests that came in. */
  requestCount: number
  /** Those that were made to fail. */
  faultCount: number
  /** Orders that were made, once each. */
  orderCount: number
  /** Requests that an idempotency key showed to be a repetition. */
  repeatedCount: number
}

/** What a shop remembers. DummyJSON forgets what it is told; this one must not, or an order could be made twice. */
export interface OrderBook {
  readonly stats: ShopStats
  /** What was answered to each idempotency key. */
  readonly answers: Map<string, ShopAnswer>
}

export function createOrderBook(stats: ShopStats): OrderBook {
  return { stats, answers: new Map() }
}

/** Answers one request as DummyJSON does; `/payments` and `/emails` are this shop's own. */
export function answerRequest(request: ShopRequest, book: OrderBook): ShopAnswer {
  if (request.method === "GET") return select(answerGet(request.path), request.select)
  if (request.method !== "POST") return { status: 405, body: { message: `${request.method} is not allowed here` } }
  const before = request.idempotencyKey === undefined ? undefined : book.answers.get(request.idempotencyKey)
  if (before !== undefined) {
    book.stats.repeatedCount += 1
    return before
  }
  const answer = answerPost(request, book)
  if (request.idempotencyKey !== undefined) book.answers.set(request.idempotencyKey, answer)
  return answer
}

function answerGet(path: string): ShopAnswer {
  const [, resource = "", id = "", of = ""] = path.split("/")
  if (resource === "carts" && id === "user") {
    const carts = CARTS.filter(({ userId }) => userId === Number(of))
    return { status: 200, body: { carts, total: carts.length, skip: 0, limit: carts.length } }
  }
  if (resource === "carts") return found("Cart", id, CARTS)
  if (resource === "products") return found("Product", id, PRODUCTS)
  if (resource === "users") return found("User", id, USERS)
  return { status: 404, body: { message: `Cannot GET ${path}` } }
}

function found(what: string, id: string, all: readonly { readonly id: number }[]): ShopAnswer {
  const body = all.find((candidate) => String(candidate.id) === id)
  return body === undefined
    ? { status: 404, body: { message: `${what} with id '${id}' not found` } }
    : { status: 200, body }
}

function select(answer: ShopAnswer, fields: readonly string[]): ShopAnswer {
  if (answer.status !== 200 || fields.length === 0) return answer
  const entries = Object.entries(answer.body as object).filter(([name]) => name === "id" || fields.includes(name))
  return { status: 200, body: Object.fromEntries(entries) }
}

function answerPost({ path, body }: ShopRequest, book: OrderBook): ShopAnswer {
  if (path === "/carts/add") return addCart(body, book)
  if (path === "/payments") return charge(body, book)
  if (path === "/emails") return { status: 202, body: { id: `mail_${book.answers.size + 1}` } }
  return { status: 404, body: { message: `Cannot POST ${path}` } }
}

function addCart(body: unknown, { stats }: OrderBook): ShopAnswer {
  const { userId, products } = body as Pick<Cart, "userId" | "products">
  if (!USERS.some(({ id }) => id === userId)) {
    return { status: 404, body: { message: `User with id '${userId}' not found` } }
  }
  if (!Array.isArray(products) || products.length === 0) {
    return { status: 400, body: { message: "products can not be empty" } }
  }
  stats.orderCount += 1
  const lines = products.map(({ id, quantity }: Cart["products"][number]) => [id, quantity] as const)
  return { status: 201, body: cart(CARTS.length + stats.orderCount, userId, ...lines) }
}

function charge(body: unknown, { answers }: OrderBook): ShopAnswer {
  const { source } = body as { readonly source: string }
  return source === DECLINED_TOKEN
    ? { status: 402, body: { message: "Your card was declined" } }
    : { status: 201, body: { id: `ch_${answers.size + 1}`, status: "succeeded" } }
}
