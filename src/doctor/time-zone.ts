import { type Check, ok } from './finding';

/** No zone is wrong, as times are stored as instants; but an app should know in which its own sessions are. */
export const timeZone: Check = {
  name: 'time-zone',
  async run({ variables }) {
    const { global } = await variables();
    const [zone, system] = [global('time_zone'), global('system_time_zone')];
    const effective = zone === 'SYSTEM' ? system : zone;
    if (/^(UTC|GMT|\+00:00)$/i.test(effective ?? '')) return ok('UTC');
    return ok(
      `${effective}: a literal run_at counts in the zone of the session that writes it, NOW() + INTERVAL is the same in each`,
    );
  },
};
