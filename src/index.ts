export type { MysqlClient } from './db/caller';
export type { Duration } from './duration';
export {
  ConfigError,
  DuplicateJobError,
  RetryAfterError,
  UnfitJobError,
  UnreachableError,
  UnrecoverableError,
} from './errors';
export type { Cancelled, Job, QueueCounts, QueueStatus, Retried, RunState } from './library/answers';
export type { JobOf } from './library/check-job';
export { type CallOptions, createQueue, type ListOptions, type Queue, type QueueOptions } from './library/queue';
export type { ListedJob } from './queue/inspect';
export type { Status } from './queue/queues';
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
