import { readLargestPacket } from '../queue/server';
import { type Check, ok, warning } from './finding';

/** A result may have 1 MB, and grows when it is quoted. */
const LEAST_BYTES = 4 * 1024 * 1024;

/** What one statement may hold: payloads, results, batches. */
export const packetSize: Check = {
  name: 'packet-size',
  async run({ pool }) {
    const bytes = await readLargestPacket(pool);
    if (bytes >= LEAST_BYTES) return ok(`${Math.floor(bytes / 1024 / 1024)} MB`);
    return warning(
      `max_allowed_packet is ${Math.floor(bytes / 1024)} KB: large results cannot be stored, and batches are small`,
      'set it to 16 MB or more',
    );
  },
};
