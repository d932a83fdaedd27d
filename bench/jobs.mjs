import { countOne } from './contenders/handled.mjs';

/** Job types of the bench, as a user of Rowlock writes them. */
export default [
  {
    type: 'bench.noop',
    run() {
      countOne();
    },
  },
  {
    type: 'bench.sleep',
    /** @param {{ ms: number }} payload */
    run({ ms }) {
      return new Promise((resolve) => setTimeout(resolve, ms));
    },
  },
];
