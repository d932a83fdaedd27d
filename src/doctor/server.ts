import { nameServer, requireServer } from '../db/schema';
import { select } from '../db/statements';
import { type Check, ok } from './finding';

/** A server that can skip locked rows and take JSON apart. */
export const server: Check = {
  name: 'server',
  async run({ pool }) {
    await requireServer(pool);
    const [found] = await select<{ version: string }>(pool, 'find_server_version');
    return ok(nameServer(found?.version ?? ''));
  },
};
