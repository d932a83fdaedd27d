import type { WebhookSecret } from '../shapes';
import { readVersion } from '../version';
import { defineJob, type FunctionJob } from '../worker/define';
import { backoffMs } from '../worker/outcome';
import { toJson } from '../worker/payload';
import { checkAddresses } from './public-address';
import { stableId } from './stable-id';
import { explainAnswer, explainFailure } from './webhook-answer';
import { type Webhook, webhookSchema } from './webhook-payload';
import { postWebhook, type WebhookAnswer, type WebhookRequest } from './webhook-request';
import { keysFor, signWebhook } from './webhook-signature';

export interface WebhookSettings {
  secrets: readonly WebhookSecret[];
  /** Addresses and networks that are not of the public internet, and may be sent to all the same. */
  allowPrivate?: readonly string[] | undefined;
  /** From the start of an attempt to the last byte of its answer. @default 30000 */
  timeoutMs?: number | undefined;
  /** For the connection alone. @default 10000 */
  connectMs?: number | undefined;
  lookup?: WebhookRequest['lookup'];
}

export interface WebhookResult {
  /** What stands in `webhook-id`: the same for all attempts. */
  id: string;
  status: number;
  /** The answer was over 64 KB, or broke off after its status; the webhook was taken all the same. */
  answerCut?: true;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** The schedule that the specification gives as its example: three days in all. */
const BACKOFF_MS = [
  5_000,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR_MS),
] as const;

/**
 * The job type `webhook.deliver`: one POST, signed after the Standard Webhooks specification. The receiver may get it
 * more than once, with the same `webhook-id`: an attempt that was cut off cannot know whether it had arrived.
 */
export function webhookDeliver({
  secrets,
  allowPrivate = [],
  timeoutMs = 30_000,
  connectMs = 10_000,
  lookup,
}: WebhookSettings): FunctionJob<Webhook> {
  return defineJob<Webhook>({
    type: 'webhook.deliver',
    payload: webhookSchema,
    timeout: `${timeoutMs + 10_000}ms`,
    maxAttempts: BACKOFF_MS.length + 1,
    backoff: BACKOFF_MS.map((ms) => `${ms}ms` as const),
    async run({ url, body, headers }, { job, signal }): Promise<WebhookResult> {
      const keys = keysFor(url.hostname, secrets);
      // Not for good: the webhooks go out once the setting is right.
      if (keys.length === 0) throw new Error(`WEBHOOK_SECRET has no secret for ${url.hostname}; add one`);
      const id = `msg_${stableId(job)}`;
      const text = typeof body === 'string' ? body : toJson(body);
      let answer: WebhookAnswer;
      try {
        answer = await postWebhook({
          url,
          headers: {
            'user-agent': `rowlock/${readVersion()}`,
            'content-type': 'application/json',
            ...headers,
            ...signWebhook(id, new Date(), text, keys),
          },
          body: text,
          signal,
          isAllowed: checkAddresses(allowPrivate),
          connectMs,
          totalMs: timeoutMs,
          lookup,
        });
      } catch (error) {
        signal.throwIfAborted();
        throw explainFailure(error, url);
      }
      const refusal = explainAnswer(answer, { url, headers, body }, backoffMs(job.attempt, BACKOFF_MS));
      if (refusal !== undefined) throw refusal;
      return { id, status: answer.status, ...(answer.isCut && { answerCut: true }) };
    },
  });
}
