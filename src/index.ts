export type { Duration } from './duration';
export { RetryAfterError, UnrecoverableError } from './errors';
export {
  type CommandJob,
  type Completion,
  defineJob,
  type FunctionJob,
  type JobContext,
  type JobDefinition,
  type JobId,
  type JobInfo,
  type JobLog,
  type NewJob,
  type Tx,
  type Write,
} from './worker/define';
