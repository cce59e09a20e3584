/**
 * What `work` comes to, or the reason of the signal as soon as it aborts: whoever never answers is not waited for.
 *
 * Not by Promise.race, which would keep a reaction on the longer-lived promise for every chunk of an export.
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    // The reason is whatever the caller gave: it is handed back as it is.
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors
    const stop = (): void => reject(signal.reason)
    if (signal.aborted) stop()
    else signal.addEventListener("abort", stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop))
  })
}
