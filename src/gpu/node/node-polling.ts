/**
 * Dawn in Node asks the GPU for news at every turn of the event loop, as long as anything is under way. Left alone it
 * does so half a million times a second: it keeps a core busy, and makes so much garbage that collecting it stops the
 * program for some 30 ms every few hundred tokens. While the program only waits for results, this makes the turns longer.
 */

/** Long enough to matter, short against a step of the fastest model. */
const NAP_MS = 0.25

const cell = new Int32Array(new SharedArrayBuffer(4))
let waits = 0
let napping = false

function nap(): void {
  if (waits === 0) {
    napping = false
    return
  }
  Atomics.wait(cell, 0, 0, NAP_MS)
  setImmediate(nap)
}

/** Begins to wait for the GPU. @returns what to call when the waiting ends */
export function waitUnhurried(): () => void {
  waits++
  if (!napping) {
    napping = true
    setImmediate(nap)
  }
  return () => {
    waits--
  }
}
