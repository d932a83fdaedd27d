import { type Check, fault, ok } from './finding';

/** In READ COMMITTED InnoDB refuses each write (error 1665) that is to be logged as a statement. */
export const binaryLog: Check = {
  name: 'binary-log',
  async run({ variables }) {
    const { session } = await variables();
    if (session('log_bin') !== 'ON') return ok('off');
    const format = session('binlog_format') ?? 'ROW';
    if (format !== 'STATEMENT') return ok(format);
    return fault(
      'binlog_format is STATEMENT: each write of a run is refused (error 1665)',
      'SET GLOBAL binlog_format = ROW, and write it into the configuration of the server',
    );
  },
};
