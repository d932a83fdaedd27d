/**
 * Milliseconds of the machine's steady clock, which all processes share: a job function's clock may be hours off, this
 * one never is (libfaketime leaves it alone with FAKETIME_DONT_FAKE_MONOTONIC).
 */
export const steadyNow = () => Number(process.hrtime.bigint()) / 1e6;

const OFFSET_MS = Date.now() - steadyNow();

/**
 * The same instant on the clock of the server, which runs on this machine.
 *
 * @param {number} steadyMs
 */
export const toWallMs = (steadyMs) => steadyMs + OFFSET_MS;
