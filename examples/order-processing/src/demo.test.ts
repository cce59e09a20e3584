import { afterEach, beforeEach, expect, test } from "vitest"
import { runDemo } from "./demo.ts"
import { type ShopServer, startShopServer } from "./shop/shop-server.ts"

let shop: ShopServer

beforeEach(async () => {
  shop = await startShopServer([])
})

afterEach(() => shop.close())

test("against a live shop, payments and mail are simulated, and one card is still declined", async () => {
  const lines: string[] = []
  const areAllComplete = await runDemo({
    databaseUrl: "pglite:memory",
    shopUrl: shop.url,
    isColourful: false,
    print: (line) => lines.push(line),
    signal: new AbortController().signal,
  })
  expect(lines).toContainEqual(expect.stringContaining(`${shop.url} (live)`))
  expect(lines).toContainEqual(expect.stringMatching(/#5 +charge_card +✗ .*: Your card was declined$/))
  expect(lines).toContainEqual(expect.stringMatching(/^orders +6 of 6 complete, 1 with the help of an operator$/))
  expect(areAllComplete).toBe(true)
  // 6 carts, 12 products, 6 lists of carts, 6 users, and 6 orders: nothing that DummyJSON does not have.
  expect(shop.stats).toMatchObject({ requestCount: 36, orderCount: 6 })
}, 120_000)

test("a shop that is not there fails the orders, and the demo says so", async () => {
  await shop.close()
  const lines: string[] = []
  const areAllComplete = await runDemo({
    databaseUrl: "pglite:memory",
    shopUrl: shop.url,
    isColourful: false,
    print: (line) => lines.push(line),
    signal: new AbortController().signal,
  })
  expect(areAllComplete).toBe(false)
  expect(lines).toContainEqual(
    expect.stringMatching(/✗ attempt 4 of 4, and no more: GET \/carts\/1 got no answer: connect ECONNREFUSED/),
  )
  expect(lines).toContainEqual("  This demo only knows what to do about a card that was declined.")
  expect(lines).toContainEqual(expect.stringMatching(/^orders +0 of 6 complete/))
}, 120_000)
