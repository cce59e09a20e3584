/** What the shop sells, to whom, and what lies in the carts. Fields as DummyJSON has them, fewer of each. */

export interface Product {
  readonly id: number
  readonly title: string
  readonly category: string
  readonly price: number
  readonly discountPercentage: number
  readonly stock: number
  readonly sku: string
  readonly availabilityStatus: "In Stock" | "Low Stock" | "Out of Stock"
}

export interface User {
  readonly id: number
  readonly firstName: string
  readonly lastName: string
  readonly email: string
}

export interface Cart {
  readonly id: number
  readonly userId: number
  readonly products: readonly CartProduct[]
  readonly total: number
  readonly discountedTotal: number
  readonly totalProducts: number
  readonly totalQuantity: number
}

export interface CartProduct {
  readonly id: number
  readonly title: string
  readonly price: number
  readonly quantity: number
  readonly total: number
  readonly discountPercentage: number
  readonly discountedTotal: number
}

export const PRODUCTS: readonly Product[] = [
  product(11, "Teapot, cast iron", "kitchen", 48, 10, 31),
  product(12, "Green tea, 250 g", "groceries", 14.5, 0, 120),
  product(21, "Fountain pen", "stationery", 89, 15, 12),
  product(22, "Ink, midnight blue", "stationery", 12.9, 0, 64),
  product(31, "Trail shoes", "sports", 129.95, 20, 18),
  product(32, "Head torch", "sports", 39.9, 5, 42),
  product(41, "Record player", "audio", 249, 12, 7),
  product(42, "Record, 180 g", "audio", 27.99, 0, 55),
  product(51, "Espresso machine", "kitchen", 549, 8, 5),
  product(52, "Coffee beans, 1 kg", "groceries", 21.9, 0, 200),
  product(61, "Desk lamp", "furniture", 74.5, 10, 23),
  product(62, "Notebook, A5", "stationery", 9.9, 0, 300),
]

export const USERS: readonly User[] = [
  user(101, "Ada", "Lovelace"),
  user(102, "Grace", "Hopper"),
  user(103, "Katherine", "Johnson"),
  user(104, "Edsger", "Dijkstra"),
  user(105, "Barbara", "Liskov"),
  user(106, "Alan", "Turing"),
]

/** Carts 1 to 6 are the open ones; the rest say who is a regular. */
export const CARTS: readonly Cart[] = [
  cart(1, 101, [11, 1], [12, 2]),
  cart(2, 102, [21, 1], [22, 3]),
  cart(3, 103, [31, 1], [32, 2]),
  cart(4, 104, [41, 1], [42, 4]),
  cart(5, 105, [51, 1], [52, 2]),
  cart(6, 106, [61, 2], [62, 5]),
  cart(7, 101, [12, 4]),
  cart(8, 103, [32, 1]),
]

/** A cart with its totals, as `POST /carts/add` makes one too. */
export function cart(id: number, userId: number, ...lines: readonly (readonly [number, number])[]): Cart {
  const products = lines.map(([productId, quantity]) => cartProduct(productId, quantity))
  return {
    id,
    products,
    total: sum(products.map(({ total }) => total)),
    discountedTotal: sum(products.map(({ discountedTotal }) => discountedTotal)),
    userId,
    totalProducts: products.length,
    totalQuantity: sum(products.map(({ quantity }) => quantity)),
  }
}

function cartProduct(productId: number, quantity: number): CartProduct {
  const found = PRODUCTS.find(({ id }) => id === productId)
  if (found === undefined) throw new Error(`Product with id '${productId}' not found`)
  const { id, title, price, discountPercentage } = found
  const total = round(price * quantity)
  const discountedTotal = round((total * (100 - discountPercentage)) / 100)
  return { id, title, price, quantity, total, discountPercentage, discountedTotal }
}

function product(
  id: number,
  title: string,
  category: string,
  price: number,
  ...[discountPercentage, stock]: readonly [number, number]
): Product {
  const availabilityStatus = stock === 0 ? "Out of Stock" : stock < 10 ? "Low Stock" : "In Stock"
  return { id, title, category, price, discountPercentage, stock, sku: `SKU-${id}`, availabilityStatus }
}

function user(id: number, firstName: string, lastName: string): User {
  return { id, firstName, lastName, email: `${firstName}.${lastName}@example.com`.toLowerCase() }
}

function sum(amounts: readonly number[]): number {
  return round(amounts.reduce((total, amount) => total + amount, 0))
}

function round(amount: number): number {
  return Math.round(amount * 100) / 100
}
