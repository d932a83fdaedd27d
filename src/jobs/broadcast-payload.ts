import { DELIMITER, NO_DELIMITER } from './csv-delimiter';
import { NO_ADDRESS, readMailbox } from './email-payload';
import { lazySchema } from './lazy-schema';
import type { ParameterValue } from './named-query';

/** A mail before the names in it are filled in. */
export interface MailText {
  subject: string;
  text?: string | undefined;
  html?: string | undefined;
  /** The https address at which a recipient is taken off the list. */
  unsubscribe?: string | undefined;
}

/** The payload of `email.broadcast`. */
export interface Broadcast {
  /** The name of a template in MAIL_TEMPLATE_DIR, or the texts themselves. */
  template: string | MailText;
  /** A file in JOB_FILES_DIR (`november.csv`), or the name of a query in MAIL_SQL_DIR (`customers`). */
  recipients: string;
  /** A value for each `:name` of the query. */
  params: Record<string, ParameterValue>;
  /** What is the same for all recipients; a recipient's own column of that name stands above it. */
  values: Record<string, unknown>;
  /** The column with the address. @default 'email' */
  column: string;
  /** Between the columns of a CSV file. @default ',' */
  delimiter: string;
  from?: string | undefined;
  replyTo?: string | undefined;
  /** Queue of the mails. @default 'default' */
  queue?: string | undefined;
  /** Priority of the mails; those that people wait for have 0. @default 10 */
  priority: number;
}

/** No dot, no slash: a name can leave no folder, and is no file. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;
/** On one line, as errors have it in them. */
const FILE = /^\P{Cc}{1,500}\.(csv|ndjson|jsonl)$/iu;

/** Whether recipients are a file, and not a query. */
export const isFile = (recipients: string): boolean => FILE.test(recipients);

const BEHIND_OTHERS = 10;

export const broadcastSchema = lazySchema<Broadcast>(() => {
  const { z } = require('zod') as typeof import('zod');
  const scalar = z.union([z.string(), z.number(), z.bigint(), z.boolean(), z.null()]);
  const mailbox = z.string().refine((text) => readMailbox(text) !== undefined, NO_ADDRESS);
  const texts = z
    .strictObject({
      subject: z.string(),
      text: z.string().optional(),
      html: z.string().optional(),
      unsubscribe: z.string().optional(),
    })
    .refine(({ text, html }) => text !== undefined || html !== undefined, 'has neither "text" nor "html"');
  return z.strictObject({
    template: z.union(
      [z.string().regex(NAME), texts],
      'is neither the name of a template (letters, digits, _ and -) nor { "subject", "text" or "html" or both }',
    ),
    recipients: z
      .string()
      .refine(
        (text) => isFile(text) || NAME.test(text),
        'is neither a file that ends in .csv, .ndjson or .jsonl nor the name of a query (letters, digits, _ and -)',
      ),
    params: z
      .record(z.string(), z.union([scalar, z.array(scalar).min(1)], 'is no value, nor a list of such'))
      .default({}),
    values: z.record(z.string(), z.unknown()).default({}),
    column: z.string().min(1).default('email'),
    delimiter: z.string().regex(DELIMITER, NO_DELIMITER).default(','),
    from: mailbox.optional(),
    replyTo: mailbox.optional(),
    queue: z.string().max(255).regex(/[^ ]$/, 'is empty, or ends with a space').optional(),
    priority: z.number().int().min(-32_768).max(32_767).default(BEHIND_OTHERS),
  });
});
