/** Which shop the steps talk to. It is each step's `config`, which stays in memory. */
export interface ShopConfig {
  readonly shopUrl: string
  /**
   * Whether the shop takes payments and sends mail. DummyJSON does neither, so against a live one both are
   * simulated here.
   */
  readonly hasPayments: boolean
}
