import { domainToASCII } from 'node:url';
import type { SMTPPoolSentMessageInfo, Transporter } from 'nodemailer';
import { defineJob, type FunctionJob, type JobContext, type JobInfo } from '../worker/define';
import { type Email, emailSchema, type Mailbox, readMailbox } from './email-payload';
import { explainRefusal } from './email-refusal';
import { stableId } from './stable-id';

export interface EmailSettings {
  /** `smtp://user:password@host:587`, or `smtps:` with port 465. */
  smtpUrl: string;
  /** The sender of a payload without `from`: `Shop <shop@example.com>`. */
  mailFrom?: string | undefined;
}

/** What became of the message. The server may have refused some of its recipients and taken it for the others. */
export interface EmailResult {
  messageId: string;
  accepted: string[];
  rejected: { address: string; reply: string }[];
  /** The server's last words, often with its own id of the message. */
  reply: string;
}

/**
 * The job type `email.send`. An attempt that was cut off after the server had taken the message sends it
 * again, with the same Message-ID, by which a mail server or program can tell that it has it already.
 */
export function emailSend({ smtpUrl, mailFrom }: EmailSettings): FunctionJob<Email> {
  let transport: Transporter<SMTPPoolSentMessageInfo> | undefined;
  return defineJob<Email>({
    type: 'email.send',
    payload: emailSchema,
    timeout: '2m',
    async run({ unsubscribe, ...email }, { job, signal, log }: JobContext): Promise<EmailResult> {
      const from = senderOf(email, mailFrom);
      transport ??= openTransport(smtpUrl);
      let sent: SMTPPoolSentMessageInfo;
      try {
        sent = await transport.sendMail({
          ...email,
          ...(unsubscribe !== undefined && withUnsubscribe(unsubscribe)),
          from,
          messageId: messageIdOf(job, from),
          signal,
          disableFileAccess: true,
          disableUrlAccess: true,
        });
      } catch (error) {
        throw explainRefusal(error, smtpUrl);
      }
      const result = resultOf(sent);
      if (result.rejected.length > 0)
        log.warn('the mail server refused some recipients', { count: result.rejected.length });
      return result;
    },
    close() {
      transport?.close();
      transport = undefined;
    },
  });
}

function senderOf({ from }: Pick<Email, 'from'>, mailFrom: string | undefined): Mailbox {
  if (from !== undefined) return from;
  const standing = mailFrom === undefined ? undefined : readMailbox(mailFrom);
  if (standing !== undefined) return standing;
  // Not for good: the jobs run once the setting is right.
  throw new Error('the payload has no "from", and MAIL_FROM is not set to an address such as Shop <shop@example.com>');
}

function openTransport(url: string): Transporter<SMTPPoolSentMessageInfo> {
  const { createTransport } = require('nodemailer') as typeof import('nodemailer');
  return createTransport({
    url,
    pool: true,
    // Whether a message is sent again after its connection broke is the queue's to decide, with its pause.
    maxRequeues: 0,
    connectionTimeout: 15_000,
    greetingTimeout: 15_000,
    socketTimeout: 60_000,
  });
}

/** Both headers of RFC 8058: with the first alone a mail program would open the address in a browser. */
const withUnsubscribe = (url: string) => ({
  list: { unsubscribe: url },
  headers: { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' },
});

function messageIdOf(job: JobInfo, from: Mailbox): string {
  return `<${stableId(job)}@${domainToASCII(from.address.slice(from.address.lastIndexOf('@') + 1)) || 'localhost'}>`;
}

function resultOf({ messageId, accepted, rejected, rejectedErrors, response }: SMTPPoolSentMessageInfo): EmailResult {
  return {
    messageId,
    accepted: accepted.map(String),
    rejected: rejected.map((address, index) => ({
      address: String(address),
      reply: rejectedErrors?.[index]?.response ?? '',
    })),
    reply: response,
  };
}
