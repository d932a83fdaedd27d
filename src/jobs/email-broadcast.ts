import { findTakenKeys } from '../queue/taken-keys';
import { defineJob, type FunctionJob, type JobContext, type Tx } from '../worker/define';
import { type Batch, type Group, type Mail, makeBatches, readGroups } from './broadcast-batches';
import { type BroadcastResult, type Counts, count, resume, toResult } from './broadcast-counts';
import { type Broadcast, broadcastSchema } from './broadcast-payload';
import { type RecipientSources, withRecipients } from './broadcast-recipients';
import { loadTemplate, requireKnown } from './broadcast-template';

export interface BroadcastSettings extends RecipientSources {
  /** The folder of the templates that payloads name. */
  templateDir?: string | undefined;
}

/**
 * The job type `email.broadcast`: makes an `email.send` job for each recipient. These are enqueued a thousand at a time,
 * together with the checkpoint, and each has a unique key of the broadcast and the address: killed wherever it may be,
 * it goes on, and nobody gets two.
 */
export function emailBroadcast({ templateDir, ...sources }: BroadcastSettings): FunctionJob<Broadcast> {
  return defineJob<Broadcast>({
    type: 'email.broadcast',
    payload: broadcastSchema,
    timeout: '6h',
    async run(order, ctx): Promise<BroadcastResult> {
      const template = await loadTemplate(order.template, templateDir);
      return withRecipients(order, sources, ctx.signal, async ({ columns, list, version, fraction }) => {
        requireKnown(template, [...columns, ...Object.keys(order.values)]);
        const press = { order, template, id: ctx.job.id };
        let counts = resume(ctx.checkpoint, version);
        // A query, or a file that was changed, is read from its start. A run that made all those mails again would come
        // no further in its time than the one before: whom an earlier pass has served is looked up first.
        const isLaterPass = counts.earlier > 0;
        for await (const group of readGroups(list, counts.read, press)) {
          ctx.signal.throwIfAborted();
          const taken = isLaterPass ? await lookUp(group, counts, ctx) : NOBODY;
          for await (const batch of makeBatches(group, taken, press, ctx.signal)) {
            if (isLaterPass && batch.mails.length === 0) {
              counts = count(counts, batch, 0); // the look-up has saved already
              continue;
            }
            const before = counts;
            await ctx.save(
              (enqueued: number) => count(before, batch, enqueued),
              (tx) => enqueueNew(batch, ctx, tx),
            );
            counts = ctx.checkpoint as Counts;
          }
          await ctx.progress(fraction());
        }
        return toResult(counts);
      });
    },
  });
}

const NOBODY: ReadonlySet<string> = new Set();

/** Whose keys are taken. In the transaction of a checkpoint: the job has no connection but that. */
async function lookUp({ members }: Group, counts: Counts, ctx: JobContext): Promise<ReadonlySet<string>> {
  const keys = members.flatMap((member) => ('why' in member ? [] : [member.uniqueKey]));
  let taken = NOBODY;
  await ctx.save(counts, async (tx) => {
    taken = await findTakenKeys(tx, 'email.send', keys);
  });
  return taken;
}

/** Answers with how many of the batch had no mail of this broadcast yet. Only this attempt hands out its keys. */
async function enqueueNew({ mails }: Batch, ctx: JobContext, tx: Tx): Promise<number> {
  const keys = mails.map(({ uniqueKey }) => uniqueKey);
  const taken = await findTakenKeys(tx, 'email.send', keys);
  const fresh = new Map<string, Mail>();
  for (const mail of mails) {
    if (!taken.has(mail.uniqueKey) && !fresh.has(mail.uniqueKey)) fresh.set(mail.uniqueKey, mail);
  }
  return (await ctx.enqueue([...fresh.values()], tx)).length;
}
