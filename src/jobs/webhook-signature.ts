import { createHmac } from 'node:crypto';
import type { WebhookSecret } from '../shapes';

/** The keys for the host of a URL, which may end in a dot. More than one while a secret is replaced: the receiver takes any signature that fits. */
export function keysFor(host: string, secrets: readonly WebhookSecret[]): string[] {
  const name = host.replace(/\.$/, '');
  const own = secrets.filter((secret) => secret.host === name);
  const found = own.length > 0 ? own : secrets.filter((secret) => secret.host === undefined);
  return found.map(({ key }) => key);
}

/**
 * The headers of the Standard Webhooks specification, version 1.0.0.
 *
 * @param id without a dot, by which the parts of what is signed are told apart
 * @param at the time of this attempt: a receiver refuses what is older than some minutes, as it may be a replay
 */
export function signWebhook(id: string, at: Date, body: string, keys: readonly string[]): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const sign = (key: string): string =>
    createHmac('sha256', Buffer.from(key, 'base64')).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': keys.map((key) => `v1,${sign(key)}`).join(' '),
  };
}
