// The job functions of the scenes, the no-op under each name of FAULTS_TYPES (a list in JSON) too, a program that gives
// back its payload, and functions that put a word of it wherever a function may put one: its error, its result, its
// checkpoint and its log.
const jobs = require('./jobs.cjs');
const { job } = require('./told.cjs');

const noop = jobs.find(({ type }) => type === 'noop');
const types = JSON.parse(process.env.FAULTS_TYPES ?? '[]');

const LEVELS = ['debug', 'info', 'warn', 'error'];

module.exports = [
  ...jobs,
  ...types.map((type) => ({ ...noop, type })),
  { type: 'program', command: ['cat'] },
  job(
    'word.thrown',
    ({ word }) => {
      throw Object.assign(new Error(word), { code: word, name: word });
    },
    { maxAttempts: 2 },
  ),
  job('word.kept', async ({ token, word }, ctx) => {
    await ctx.save({ word, [word]: word });
    return { token, word, [word]: word };
  }),
  job('word.logged', ({ word }, { log }) => {
    for (const level of LEVELS) log[level](word, { word, [word]: word });
  }),
];
