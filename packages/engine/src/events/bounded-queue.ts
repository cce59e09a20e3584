/** First in, first out, and no longer than its limit: what has waited longest makes room for what comes. */
export class BoundedQueue<Item> {
  readonly #maxLength: number
  #items: (Item | undefined)[] = []
  /** The items before it were taken. Moving all the others up for each would cost the square of them. */
  #head = 0

  constructor(maxLength: number) {
    this.#maxLength = maxLength
  }

  get length(): number {
    return this.#items.length - this.#head
  }

  /** Whether an older item had to go. */
  push(item: Item): boolean {
    const isFull = this.length >= this.#maxLength
    if (isFull) this.shift()
    this.#items.push(item)
    return isFull
  }

  shift(): Item | undefined {
    const item = this.#items[this.#head]
    if (this.#head >= this.#items.length) return undefined
    this.#items[this.#head] = undefined
    this.#head += 1
    if (this.#head * 2 > this.#items.length && this.#head > 256) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    } else if (this.#head === this.#items.length) {
      this.#items.length = 0
      this.#head = 0
    }
    return item
  }

  clear(): void {
    this.#items = []
    this.#head = 0
  }
}
