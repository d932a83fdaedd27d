export type { RecordedJob, TestTx } from './recorder';
export { type JobRun, type RunJobOptions, runJob } from './run-job';
