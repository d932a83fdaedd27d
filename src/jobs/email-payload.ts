import { lazySchema } from './lazy-schema';

export interface Mailbox {
  name: string;
  address: string;
}

/** The payload of `email.send`, with each address taken apart. */
export interface Email {
  to: Mailbox[];
  cc?: Mailbox[] | undefined;
  bcc?: Mailbox[] | undefined;
  replyTo?: Mailbox | undefined;
  from?: Mailbox | undefined;
  subject: string;
  text?: string | undefined;
  html?: string | undefined;
  /** Where a POST takes the recipient off the list (RFC 8058), as large mail providers ask of mails to many. */
  unsubscribe?: string | undefined;
}

/** A server may refuse a message to more than a hundred; this only keeps a runaway list from it. */
const MOST_RECIPIENTS = 1_000;
const LONGEST_ADDRESS = 254;
const LONGEST_SUBJECT = 1_000;
/** Longer lines are none that a mail may have. */
const LONGEST_URL = 900;

// A line break in a header field would begin another field, such as a Bcc of the attacker's own.
const ADDRESS = /^[^\s@<>()[\]\\,;:"\p{Cc}]+@[^\s@<>()[\]\\,;:"\p{Cc}]+$/u;
const NAMED = /^(?<name>[^<>"\p{Cc}]*|"[^<>"\p{Cc}]*") *<(?<address>[^<>]*)>$/u;
const WEB_ADDRESS = /^https:\/\/[!-;=?-~]+$/;
const ONE_LINE = /^\P{Cc}*$/u;

/** `a@example.com` or `Ann <a@example.com>`; undefined if it is neither, such as a list in one string. */
export function readMailbox(text: string): Mailbox | undefined {
  const { name = '', address = text } = NAMED.exec(text.trim())?.groups ?? { address: text.trim() };
  if (address.length > LONGEST_ADDRESS || !ADDRESS.test(address)) return undefined;
  return { name: name.trim().replace(/^"(.*)"$/, '$1'), address };
}

export const NO_ADDRESS = 'is no e-mail address such as a@example.com or Ann <a@example.com>';

export const emailSchema = lazySchema<Email>(() => {
  const { z } = require('zod') as typeof import('zod');
  const mailbox = z.string(NO_ADDRESS).transform((text, context): Mailbox => {
    const found = readMailbox(text);
    if (found === undefined) context.addIssue({ code: 'custom', message: NO_ADDRESS });
    return found ?? z.NEVER;
  });
  const mailboxes = z
    .union(
      [z.string(), z.array(z.string()).min(1).max(MOST_RECIPIENTS)],
      `${NO_ADDRESS}, nor a list of 1 to ${MOST_RECIPIENTS} such`,
    )
    .transform((given, context): Mailbox[] =>
      [given].flat().map((text, index): Mailbox => {
        const found = readMailbox(text);
        const path = Array.isArray(given) ? [index] : [];
        if (found === undefined) context.addIssue({ code: 'custom', path, message: NO_ADDRESS });
        return found ?? z.NEVER;
      }),
    );
  return z
    .strictObject({
      to: mailboxes,
      cc: mailboxes.optional(),
      bcc: mailboxes.optional(),
      replyTo: mailbox.optional(),
      from: mailbox.optional(),
      subject: z.string().max(LONGEST_SUBJECT).regex(ONE_LINE, 'has a line break or another control character'),
      text: z.string().optional(),
      html: z.string().optional(),
      unsubscribe: z
        .string()
        .max(LONGEST_URL)
        .regex(WEB_ADDRESS, 'is no address such as https://example.com/u/123')
        .optional(),
    })
    .refine(({ text, html }) => text !== undefined || html !== undefined, {
      path: ['text'],
      message: 'is missing, and so is html; give one of them',
    });
});
