/** Told by the clock that all processes of a machine share. */
export default [
  {
    type: 'bench.pick-up',
    run() {
      return { at: String(process.hrtime.bigint()) };
    },
  },
];
