import { type Check, fault, ok } from './finding';

const SWITCHES = ['read_only', 'super_read_only', 'innodb_read_only'];

/** MariaDB's read_only knows more than ON and OFF. */
export const writable: Check = {
  name: 'writable',
  async run({ variables }) {
    const { global } = await variables();
    const on = SWITCHES.filter((name) => (global(name) ?? 'OFF') !== 'OFF');
    if (on.length === 0) return ok('yes');
    return fault(
      `the server takes no writes: ${on.map((name) => `${name} is ${global(name)}`).join(', ')}`,
      'it is a replica, or being switched over: let DATABASE_URL name the primary',
    );
  },
};
