/** Done; the server could not be reached; the lease was lost: whatever strikes a run, it ends so, or by a signal. */
export const USUAL_CODES = [0, 69, 75];

/** Lines of a stack: at run (/srv/app/dist/cli.js:1:2). */
const STACK = /^ +at .+:\d+:\d+\)?$/m;

/** @type {import('./check.mjs').Check} */
export const runsEndInOrder = {
  name: 'runs end in order',
  says: 'a run ends by itself or when it is told to, in its time, by an exit code that says why, and prints no stack',
  find({ processes, prints, expect: { ends } }) {
    const stacked = new Set(prints.filter(({ text }) => STACK.test(text)).map(({ name }) => name));
    return processes.flatMap(({ number, startedAt, endedAt, code, signal, sent, hung, log }) => {
      const lasted = (endedAt ?? startedAt) - startedAt;
      /** @type {string[]} */
      const odd = [];
      if (hung) odd.push('SIGTERM did not end it');
      else if (lasted > ends.longestMs)
        odd.push(`it lasted ${(lasted / 1000).toFixed(1)} s, and ${ends.longestMs / 1000} s at most were expected`);
      if (typeof code === 'number' && !ends.codes.has(code)) odd.push(`it ended with code ${code}`);
      if (typeof signal === 'string' && !hung && !sent.has(signal) && !ends.signals.has(signal))
        odd.push(`it was ended by ${signal}, and by nobody here`);
      if (stacked.has(log) && !ends.stacks) odd.push('it printed a stack');
      return odd.map((text) => ({ id: `process ${number}`, text }));
    });
  },
};
