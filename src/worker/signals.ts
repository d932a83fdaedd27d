import { exitProcess } from './strays';

/** 128 and the signal's number, as shells have it. */
const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

type EndSignal = keyof typeof EXIT_CODES;

const END_SIGNALS = Object.keys(EXIT_CODES) as EndSignal[];

/** Calls on the first SIGTERM, SIGINT or SIGHUP (a closed terminal); a second one ends the process now. Returns what stops the watch. */
export function watchSignals(onFirst: (signal: NodeJS.Signals) => void): () => void {
  let seen = false;
  const onSignal = (signal: EndSignal) => {
    if (seen) exitProcess(EXIT_CODES[signal]);
    seen = true;
    onFirst(signal);
  };
  for (const signal of END_SIGNALS) process.on(signal, onSignal);
  return () => {
    for (const signal of END_SIGNALS) process.off(signal, onSignal);
  };
}
