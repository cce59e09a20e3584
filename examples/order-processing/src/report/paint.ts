import { styleText } from "node:util"

/** Colours a text, or leaves it alone where nobody would see colours. */
export interface Paint {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly wait: (text: string) => string
  /** One colour per order, so that the eye can follow one. */
  readonly order: (index: number, text: string) => string
}

type Format = Parameters<typeof styleText>[0]

const ORDER_COLOURS = ["cyan", "magenta", "blue", "yellowBright", "cyanBright", "magentaBright"] as const

/** @param isColourful - what `process.stdout.hasColors()` says: it knows about `NO_COLOR` and dumb terminals */
export function createPaint(isColourful: boolean): Paint {
  const paint =
    (format: Format) =>
    (text: string): string =>
      // Who called has looked at the stream already, and it may not be stdout.
      isColourful ? styleText(format, text, { validateStream: false }) : text
  return {
    bold: paint("bold"),
    dim: paint("dim"),
    good: paint("green"),
    bad: paint("red"),
    wait: paint("yellow"),
    order: (index, text) => paint(ORDER_COLOURS[index % ORDER_COLOURS.length] ?? "cyan")(text),
  }
}

/** `1.234 s`, or in milliseconds below a tenth of a second. */
export function formatMs(ms: number): string {
  return ms < 100 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(2)} s`
}
