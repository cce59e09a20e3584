import { expect, test } from "vitest"
import { priceOf } from "./price-order.ts"

const line = { productId: 1, title: "Teapot", quantity: 2, unitCents: 4_805, discountPercent: 10 }

test("discounts come off each line, and shipping is added to a small order", () => {
  expect(priceOf([line], false)).toEqual({
    goodsCents: 9_610,
    discountCents: 961,
    shippingCents: 590,
    totalCents: 9_239,
  })
})

test("a regular pays less, and a large order ships for nothing", () => {
  expect(priceOf([{ ...line, quantity: 3 }], true)).toEqual({
    goodsCents: 14_415,
    discountCents: 2_090,
    shippingCents: 0,
    totalCents: 12_325,
  })
})
