/**
 * The clock's functions as they were when this process started: a job function that leaves fake ones behind, or breaks them,
 * must not stop the run that writes down how the others end.
 */
export const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate } = globalThis;
