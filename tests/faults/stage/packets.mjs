/** A packet's length, in three bytes, and its number: a command begins a new exchange, with 0. */
const HEADER = 4;
const COM_QUERY = 3;

/** MySQL 8 wants the number of query attributes (none, in one set) ahead of the text. */
const NO_ATTRIBUTES = 2;

/**
 * Puts a client's packets together from what arrives, however it is cut.
 *
 * @param {(packet: Buffer) => void} found with its header
 * @returns {(data: Buffer) => void}
 */
export function splitPackets(found) {
  /** @type {Buffer[]} */
  let waiting = [];
  let length = 0;
  return (data) => {
    waiting.push(data);
    length += data.length;
    for (;;) {
      if (length < HEADER) return;
      if (waiting.length > 1 && (waiting[0]?.length ?? 0) < HEADER) waiting = [Buffer.concat(waiting)];
      const end = HEADER + (waiting[0]?.readUIntLE(0, 3) ?? 0);
      if (length < end) return;
      const all = waiting.length === 1 ? (waiting[0] ?? data) : Buffer.concat(waiting);
      waiting = all.length === end ? [] : [all.subarray(end)];
      length -= end;
      found(all.subarray(0, end));
    }
  };
}

/**
 * The text of a statement; undefined: the packet is none.
 *
 * @param {Buffer} packet
 */
export function textOf(packet) {
  if (packet.length <= HEADER || packet[3] !== 0 || packet[HEADER] !== COM_QUERY) return undefined;
  return packet.subarray(HEADER + 1 + (packet[HEADER + 1] === 0 ? NO_ATTRIBUTES : 0)).toString();
}
