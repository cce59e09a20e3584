const INTERVAL_MS = 20

/** Asks until the answer is something, and gives it. Throws after `timeoutMs`, saying what was waited for. */
export async function until<Answer>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<Answer | undefined | false> | Answer | undefined | false,
): Promise<Answer> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS))
  }
}

/** As {@link until}, for something that happens by itself. */
export async function within<Answer>(what: string, timeoutMs: number, answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${timeoutMs} ms until ${what}`)), timeoutMs)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
