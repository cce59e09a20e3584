import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { CARTS, PRODUCTS } from "./catalogue.ts"
import { type ShopServer, startShopServer } from "./shop-server.ts"

let shop: ShopServer

beforeEach(async () => {
  shop = await startShopServer()
})

afterEach(() => shop.close())

async function get(path: string) {
  const response = await fetch(`${shop.url}${path}`)
  return { status: response.status, retryAfter: response.headers.get("retry-after"), body: await response.json() }
}

async function post(path: string, body: unknown, idempotencyKey?: string) {
  const headers = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }
  const response = await fetch(`${shop.url}${path}`, { method: "POST", headers, body: JSON.stringify(body) })
  return { status: response.status, body: await response.json() }
}

describe("what DummyJSON has", () => {
  test("a cart, with its totals", async () => {
    expect(await get("/carts/1")).toMatchObject({
      status: 200,
      body: {
        id: 1,
        userId: 101,
        products: [
          {
            id: 11,
            title: "Teapot, cast iron",
            price: 48,
            quantity: 1,
            total: 48,
            discountPercentage: 10,
            discountedTotal: 43.2,
          },
          { id: 12, quantity: 2, total: 29, discountedTotal: 29 },
        ],
        total: 77,
        discountedTotal: 72.2,
        totalProducts: 2,
        totalQuantity: 3,
      },
    })
  })

  test("the carts of a user, products, users, and the selection of fields", async () => {
    expect(await get("/carts/user/101")).toMatchObject({ status: 200, body: { total: 2, skip: 0, limit: 2 } })
    expect(await get("/products/11")).toMatchObject({ status: 200, body: PRODUCTS[0] })
    expect(await get("/products/11?select=stock")).toMatchObject({ body: { id: 11, stock: 31 } })
    expect((await get("/users/101?select=firstName,email")).body).toEqual({
      id: 101,
      firstName: "Ada",
      email: "ada.lovelace@example.com",
    })
  })

  test("what is not there is a 404 with a message", async () => {
    expect(await get("/carts/99")).toMatchObject({ status: 404, body: { message: "Cart with id '99' not found" } })
  })

  test("a cart that is added gets the next id", async () => {
    const added = await post("/carts/add", { userId: 101, products: [{ id: 12, quantity: 3 }] })
    expect(added).toMatchObject({
      status: 201,
      body: { id: CARTS.length + 1, userId: 101, total: 43.5, totalQuantity: 3 },
    })
    expect(await post("/carts/add", { userId: 7, products: [] })).toMatchObject({ status: 404 })
    expect(await post("/carts/add", { userId: 101, products: [] })).toMatchObject({ status: 400 })
  })
})

describe("what it adds", () => {
  test("a payment, unless the card is declined", async () => {
    expect(await post("/payments", { amount: 1, source: "tok_good" })).toMatchObject({ status: 201 })
    expect(await post("/payments", { amount: 1, source: "tok_declined" })).toMatchObject({ status: 402 })
  })

  test("the same idempotency key gets the same answer, and nothing is done twice", async () => {
    const body = { userId: 101, products: [{ id: 12, quantity: 1 }] }
    const first = await post("/carts/add", body, "a")
    expect(await post("/carts/add", body, "a")).toEqual(first)
    expect(await post("/carts/add", body, "b")).not.toEqual(first)
    expect(shop.stats).toMatchObject({ orderCount: 2, repeatedCount: 1 })
  })
})

describe("what goes wrong", () => {
  test("the first request for product 21 is one too many", async () => {
    expect(await get("/products/21")).toMatchObject({ status: 429, retryAfter: "1" })
    expect(await get("/products/21")).toMatchObject({ status: 200 })
    expect(shop.stats).toMatchObject({ requestCount: 2, faultCount: 1 })
  })

  test("the price list of user 103 comes at the third request", async () => {
    expect(await get("/carts/user/103")).toMatchObject({ status: 503, retryAfter: null })
    expect(await get("/carts/user/103")).toMatchObject({ status: 503 })
    expect(await get("/carts/user/103")).toMatchObject({ status: 200 })
  })

  test("the order of user 106 is made, and its answer lost", async () => {
    const body = { userId: 106, products: [{ id: 61, quantity: 1 }] }
    await expect(post("/carts/add", body, "a")).rejects.toThrow(TypeError)
    expect(await post("/carts/add", body, "a")).toMatchObject({ status: 201 })
    expect(shop.stats).toMatchObject({ orderCount: 1, repeatedCount: 1 })
  })
})
