import type { Settings } from '../config';
import { EXIT, type ExitCode } from '../errors';
import { toPrometheus } from '../monitor/prometheus';
import { readNumbers } from '../queue/numbers';
import { printExactly } from './print';
import { withQueue } from './session';

/** `rowlock metrics`: the numbers of the queue as Prometheus reads them. */
export function metricsCommand(settings: Settings): Promise<ExitCode> {
  return withQueue(settings, async (pool) => {
    const numbers = await readNumbers(pool);
    printExactly((await toPrometheus({ database: settings.database?.database, numbers })).trimEnd());
    return EXIT.ok;
  });
}
