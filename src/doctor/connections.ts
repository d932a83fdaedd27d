import { type Check, ok, unknown, warning } from './finding';

/** A run takes up to five connections, and its suspects one each. */
const FEW = 10;

export const connections: Check = {
  name: 'connections',
  async run({ variables }) {
    const { global, status } = await variables();
    const most = Number(global('max_connections'));
    const used = status('Threads_connected');
    if (used === undefined || Number.isNaN(most)) return unknown('the server does not tell how many it has');
    if (most - used >= Math.max(FEW, most / 10)) return ok(`${used} of ${most} in use`);
    return warning(
      `${used} of ${most} connections are in use: a run that gets none exits with 69`,
      'raise max_connections, or find who keeps them (SHOW PROCESSLIST)',
    );
  },
};
