import { createHash } from 'node:crypto';
import type { JobId, NewJob } from '../worker/define';
import { validate } from '../worker/payload';
import type { Broadcast } from './broadcast-payload';
import type { Recipient } from './broadcast-recipient';
import type { MailTemplate } from './broadcast-template';
import { emailSchema, readMailbox } from './email-payload';

/** Why a recipient gets no mail. */
export interface Fault {
  line: number;
  why: string;
}

/** Recipients that one transaction is done with. */
export interface Batch {
  /** How many recipients are done with after it. */
  read: number;
  mails: Mail[];
  faults: Fault[];
}

/** A job of the type email.send. */
export type Mail = NewJob & { uniqueKey: string };

const MOST_RECIPIENTS = 1_000;
/** Characters. A transaction of a thousand large mails would hold the log of the server, and the heap of this process. */
const LARGEST = 4_000_000;

/** What makes a mail of a recipient. */
export interface Press {
  order: Broadcast;
  template: MailTemplate;
  /** Of the broadcast. */
  id: JobId;
}

/** @param after how many recipients are done with already */
export async function* readBatches(
  recipients: AsyncIterable<Recipient>,
  after: number,
  press: Press,
): AsyncGenerator<Batch> {
  let batch: Batch = { read: after, mails: [], faults: [] };
  let read = 0;
  let size = 0;
  for await (const recipient of recipients) {
    read += 1;
    if (read <= after) continue;
    const made = await makeMail(recipient, press);
    if ('why' in made) batch.faults.push(made);
    else {
      batch.mails.push(made.mail);
      size += made.size;
    }
    batch.read = read;
    if (batch.mails.length + batch.faults.length < MOST_RECIPIENTS && size < LARGEST) continue;
    yield batch;
    batch = { read, mails: [], faults: [] };
    size = 0;
  }
  if (batch.read > after && batch.mails.length + batch.faults.length > 0) yield batch;
}

async function makeMail(
  { line, fields, fault }: Recipient,
  { order, template, id }: Press,
): Promise<{ mail: Mail; size: number } | Fault> {
  if (fault !== undefined) return { line, why: fault };
  const to = String(fields[order.column] ?? '').trim();
  const address = readMailbox(to)?.address;
  if (address === undefined)
    return { line, why: to === '' ? 'has no address' : `"${order.column}" is no e-mail address` };
  const texts = template.fill(Object.assign(Object.create(null), order.values, fields), line);
  if ('fault' in texts) return { line, why: texts.fault };
  const payload = { to, from: order.from, replyTo: order.replyTo, ...texts };
  const { refused } = await validate(emailSchema, payload);
  if (refused !== undefined) return { line, why: refused };
  const mail = {
    type: 'email.send',
    payload,
    uniqueKey: keyOf(id, address),
    priority: order.priority,
    ...(order.queue !== undefined && { queue: order.queue }),
  };
  const { subject, text = '', html = '' } = texts;
  return { mail, size: subject.length + text.length + html.length };
}

/** One mail for each address of a broadcast, however it is written. The address itself is not told where keys are. */
function keyOf(id: JobId, address: string): string {
  const digest = createHash('sha256').update(address.toLowerCase()).digest('hex').slice(0, 32);
  return `email.broadcast ${id} ${digest}`;
}
