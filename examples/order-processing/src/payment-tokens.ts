/** The tokens of two cards, after Stripe's test cards: one that is good, and one that its bank declines. */
export const GOOD_TOKEN = "tok_good"
export const DECLINED_TOKEN = "tok_declined"
