import type { QueryOptions } from 'mysql2/promise';
import type { Pool, PoolConnection } from '../../src/db/pool';
import { openQueuePool } from './tables';

/** Where a host dies: nothing that it does afterwards reaches the server. */
export type Death = 'before COMMIT' | 'after COMMIT';

/** A worker host with a session of its own, whose clock the test moves: NOW() is what it says. */
export interface Host {
  pool: Pool;
  setClock(at: Date): Promise<void>;
  /** It dies at the next transaction that it makes, if one comes before {@link revive}. */
  dieNext(death: Death): void;
  isDead(): boolean;
  /** It lives on; if it has died, with new sessions. */
  revive(): Promise<void>;
}

/** Not a fault of the server's, which would be tried again. */
class HostDied extends Error {}

const open = new Set<Pool>();

afterAll(async () => {
  for (const pool of open) await pool.end();
});

export function openHost(url: string): Host {
  let death: Death | undefined;
  let dead = false;
  let clock = new Date();
  let pool: Pool;
  const boot = async () => {
    pool = openQueuePool(url, 1);
    open.add(pool);
    await setClock();
  };
  const setClock = () => pool.query('SET timestamp = ?', [clock.getTime() / 1000]);
  const mortal = (connection: PoolConnection) =>
    intercept(connection, 'query', async (given: QueryOptions) => {
      const isCommit = given.sql === 'COMMIT';
      if (isCommit && death === 'before COMMIT') throw die(connection);
      const answer = await connection.query(given);
      if (isCommit && death === 'after COMMIT') throw die(connection);
      return answer;
    });
  const die = (connection: PoolConnection) => {
    dead = true;
    death = undefined;
    connection.destroy();
    return new HostDied('the host died');
  };
  return {
    get pool() {
      return intercept(pool, 'getConnection', async () => {
        if (dead) throw new HostDied('the host is dead');
        return mortal(await pool.getConnection());
      });
    },
    async setClock(at) {
      clock = at;
      if (pool === undefined) await boot();
      else await setClock();
    },
    dieNext(when) {
      death = when;
    },
    isDead: () => dead,
    async revive() {
      death = undefined;
      if (!dead) return;
      dead = false;
      open.delete(pool);
      await pool.end();
      await boot();
    },
  };
}

/** The same object, but for one of its methods. */
function intercept<T extends object>(target: T, method: keyof T, replacement: (...args: never[]) => unknown): T {
  return new Proxy(target, {
    get(_, property) {
      if (property === method) return replacement;
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
