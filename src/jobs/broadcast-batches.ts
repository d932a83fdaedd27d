import { setImmediate as nextTurn } from 'node:timers/promises';
import type { JobId, NewJob } from '../worker/define';
import { validate } from '../worker/payload';
import type { Broadcast } from './broadcast-payload';
import type { Recipient } from './broadcast-recipient';
import type { MailTemplate } from './broadcast-template';
import { emailSchema, readMailbox } from './email-payload';
import { digestOf } from './stable-id';

/** Why a recipient gets no mail. */
export interface Fault {
  line: number;
  why: string;
}

/** A recipient with an address. Whether they have their mail already is still to be looked up. */
interface Addressee {
  line: number;
  fields: Record<string, unknown>;
  to: string;
  uniqueKey: string;
}

/** Recipients whose keys are looked up at once. */
export interface Group {
  /** How many recipients come before them. */
  after: number;
  members: (Addressee | Fault)[];
}

/** Recipients that one transaction is done with. */
export interface Batch {
  /** How many recipients are done with after it. */
  read: number;
  mails: Mail[];
  /** Recipients of whom it was known that they have their mail already. */
  met: number;
  faults: Fault[];
}

/** A job of the type email.send. */
export type Mail = NewJob & { uniqueKey: string };

const MOST_RECIPIENTS = 1_000;
/** Characters. A transaction of a thousand large mails would hold the log of the server, and the heap of this process. */
const LARGEST = 4_000_000;
/** A thousand mails of 10 KB take two seconds: the run's other jobs, and its heartbeat, would wait for so long. */
const LONGEST_TURN_MS = 20;

/** What makes a mail of a recipient. */
export interface Press {
  order: Broadcast;
  template: MailTemplate;
  /** Of the broadcast. */
  id: JobId;
}

/** @param after how many recipients are done with already */
export async function* readGroups(
  recipients: AsyncIterable<Recipient>,
  after: number,
  press: Press,
): AsyncGenerator<Group> {
  let group: Group = { after, members: [] };
  let read = 0;
  let size = 0;
  for await (const recipient of recipients) {
    read += 1;
    if (read <= after) continue;
    group.members.push(address(recipient, press));
    size += recipient.size;
    if (group.members.length < MOST_RECIPIENTS && size < LARGEST) continue;
    yield group;
    group = { after: read, members: [] };
    size = 0;
  }
  if (group.members.length > 0) yield group;
}

function address({ line, fields, fault }: Recipient, { order, id }: Press): Addressee | Fault {
  if (fault !== undefined) return { line, why: fault };
  const to = String(fields[order.column] ?? '').trim();
  const found = readMailbox(to)?.address;
  if (found === undefined)
    return { line, why: to === '' ? 'has no address' : `"${order.column}" is no e-mail address` };
  return { line, fields, to, uniqueKey: keyOf(id, found) };
}

/**
 * Makes the mails of a group, in as many batches as they need by their size.
 *
 * @param taken the keys of those who have their mail: nothing is made for them
 */
export async function* makeBatches(
  { after, members }: Group,
  taken: ReadonlySet<string>,
  press: Press,
  signal: AbortSignal,
): AsyncGenerator<Batch> {
  let batch: Batch = { read: after, mails: [], met: 0, faults: [] };
  let size = 0;
  let turn = performance.now();
  for (const member of members) {
    if (performance.now() - turn > LONGEST_TURN_MS) {
      await nextTurn();
      signal.throwIfAborted();
      turn = performance.now();
    }
    batch.read += 1;
    if ('why' in member) batch.faults.push(member);
    else if (taken.has(member.uniqueKey)) batch.met += 1;
    else {
      const made = await makeMail(member, press);
      if ('why' in made) batch.faults.push(made);
      else {
        batch.mails.push(made.mail);
        size += made.size;
      }
    }
    if (size < LARGEST) continue;
    yield batch;
    batch = { read: batch.read, mails: [], met: 0, faults: [] };
    size = 0;
  }
  if (batch.mails.length + batch.met + batch.faults.length > 0) yield batch;
}

async function makeMail(
  { line, fields, to, uniqueKey }: Addressee,
  { order, template }: Press,
): Promise<{ mail: Mail; size: number } | Fault> {
  const texts = template.fill(Object.assign(Object.create(null), order.values, fields), line);
  if ('fault' in texts) return { line, why: texts.fault };
  const payload = { to, from: order.from, replyTo: order.replyTo, ...texts };
  const { refused } = await validate(emailSchema, payload);
  if (refused !== undefined) return { line, why: refused };
  const mail = {
    type: 'email.send',
    payload,
    uniqueKey,
    priority: order.priority,
    ...(order.queue !== undefined && { queue: order.queue }),
  };
  const { subject, text = '', html = '' } = texts;
  return { mail, size: subject.length + text.length + html.length };
}

/** One mail for each address of a broadcast, however it is written. The address itself is not told where keys are. */
function keyOf(id: JobId, address: string): string {
  return `email.broadcast ${id} ${digestOf(address.toLowerCase())}`;
}
