/**
 * Milliseconds of the machine's steady clock, which all processes share: a job function's clock may be hours off, this
 * one never is (libfaketime leaves it alone with FAKETIME_DONT_FAKE_MONOTONIC).
 */
export const steadyNow = () => Number(process.hrtime.bigint()) / 1e6;

/** The clock of a machine is set now and then, by more than half a second seen here: which offset held when is kept. */
const LOOK_EVERY_MS = 500;

/** Smaller differences are the time between two readings. */
const STEP_MS = 1;

const readOffset = () => Date.now() - steadyNow();

/** @type {{ from: number, offset: number }[]} by `from`, on the steady clock */
const offsets = [{ from: Number.NEGATIVE_INFINITY, offset: readOffset() }];

setInterval(() => {
  const offset = readOffset();
  if (Math.abs(offset - (offsets.at(-1)?.offset ?? 0)) > STEP_MS) offsets.push({ from: steadyNow(), offset });
}, LOOK_EVERY_MS).unref();

/**
 * The same instant on the clock of the server, which runs on this machine.
 *
 * @param {number} steadyMs
 */
export const toWallMs = (steadyMs) => steadyMs + (offsets.findLast(({ from }) => from <= steadyMs)?.offset ?? 0);
