// The job functions of the scenes, the no-op under each name of FAULTS_TYPES (a list in JSON) too, and a program that gives
// back its payload.
const jobs = require('./jobs.cjs');

const noop = jobs.find(({ type }) => type === 'noop');
const types = JSON.parse(process.env.FAULTS_TYPES ?? '[]');

module.exports = [...jobs, ...types.map((type) => ({ ...noop, type })), { type: 'program', command: ['cat'] }];
