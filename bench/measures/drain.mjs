/** @type {import('../samples.mjs').Measure} */
export const measure = {
  name: 'drain',
  async run() {
    return [];
  },
};
