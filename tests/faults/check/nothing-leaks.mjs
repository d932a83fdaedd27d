const LONGEST_SHOWN = 160;

/** @type {import('./check.mjs').Check} */
export const nothingLeaks = {
  name: 'nothing leaks',
  says: 'nothing of a payload and no password is in what was printed or logged, or in an error',
  find({ prints, secrets }) {
    return prints.flatMap(({ name, text }) =>
      secrets.flatMap((secret) => {
        const place = text.indexOf(secret);
        if (place < 0) return [];
        const line = text.slice(text.lastIndexOf('\n', place) + 1, text.indexOf('\n', place) >>> 0);
        return [{ id: name, text: line.slice(0, LONGEST_SHOWN).replaceAll(secret, '***') }];
      }),
    );
  },
};
