import type { EventName, Events } from '../events';
import type { ClaimedJob } from '../queue/job';
import type { AbortKind } from './attempt';
import type { Execution } from './execute';

/** From the run to the process that holds one suspect. */
export type ToChild =
  | { kind: 'run'; job: ClaimedJob; runId: number; stopping: boolean }
  | { kind: 'abort'; abort: AbortKind; why: string }
  /** The run claims nothing more: a save hands the job on. */
  | { kind: 'stopping' };

/** And back. */
export type FromChild =
  /** The function is about to start: how the process ends from here on is the suspect's own doing. */
  | { kind: 'begun' }
  | { kind: 'ended'; execution: Execution }
  | { kind: 'event'; name: EventName; facts: Events[EventName] };
