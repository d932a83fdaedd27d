import { oneLine } from '../errors';
import { type Emit, type EventName, type Events, type RunCounts, WORDING } from '../events';
import { levelOf } from '../logger';

/** Services take 10,000 to 100,000 bytes. */
const BYTES_AT_MOST = 10_000;
const LINES_AT_MOST = 100;
const LONGEST_LINE = 1_000;

const NOTHING: RunCounts = { claimed: 0, completed: 0, retried: 0, failed: 0, released: 0 };

/** What a monitor is told of a run: its counts, its sum in words, and what it told at warn or above. */
export class Account {
  /** Undefined until the run has ended by itself. */
  counts: RunCounts | undefined;
  private readonly lines: string[] = [];

  /** Takes note of a fact, and lets it pass. */
  listen(emit: Emit): Emit {
    return (name, facts) => {
      this.hear(name, facts);
      emit(name, facts);
    };
  }

  add(line: string): void {
    this.lines.push(oneLine(line, LONGEST_LINE));
    if (this.lines.length > LINES_AT_MOST) this.lines.shift();
  }

  /** The last lines, in 10,000 bytes. */
  get body(): string {
    let bytes = 0;
    const last = this.lines.findLastIndex((line) => {
      bytes += Buffer.byteLength(line) + 1;
      return bytes > BYTES_AT_MOST;
    });
    return this.lines
      .slice(last + 1)
      .map((line) => `${line}\n`)
      .join('');
  }

  private hear<N extends EventName>(name: N, facts: Events[N]): void {
    if (name === 'run.finished') this.counts = facts as Events['run.finished'];
    if (name === 'run.skipped') this.counts = NOTHING;
    const isSum = name === 'run.finished' || name === 'run.skipped';
    if (isSum || ['warn', 'error'].includes(levelOf(name, facts))) this.add(WORDING[name].say(facts));
  }
}
