import { codeOf, messageOf, UnrecoverableError } from '../errors';

/** These say that this worker may not send, which somebody can mend; they say nothing of the message. */
const LOGIN_REPLIES = new Set([530, 534, 535, 538]);
/** A refusal of one of these is a refusal of this message. */
const MESSAGE_COMMANDS = new Set(['MAIL FROM', 'RCPT TO', 'DATA']);

const IS_IT_UP = 'see whether the mail server of SMTP_URL is up';
const MENDS: Record<string, string> = {
  ECONNECTION: IS_IT_UP,
  ESOCKET: IS_IT_UP,
  ETIMEDOUT: IS_IT_UP,
  EDNS: 'correct the host in SMTP_URL',
  EAUTH: 'correct user and password in SMTP_URL',
  ENOAUTH: 'put user and password into SMTP_URL',
};

/**
 * What to throw for a message that was not sent: an UnrecoverableError if the same message would be refused
 * again (a reply of 5xx to it, an envelope that is wrong), else an ordinary error. Neither holds a password.
 */
export function explainRefusal(error: unknown, smtpUrl: string): Error {
  const mend = MENDS[codeOf(error) ?? ''];
  const said = hideCredentials(messageOf(error), smtpUrl);
  const words = `the e-mail was not sent: ${said}${mend === undefined ? '' : `; ${mend}`}`;
  // Without the cause: the driver's error repeats the server's reply, which may repeat what was sent to it.
  return isPermanent(error) ? new UnrecoverableError(words) : new Error(words);
}

function isPermanent(error: unknown): boolean {
  const { responseCode, command } = error as { responseCode?: unknown; command?: unknown };
  if (typeof responseCode !== 'number') return ['EENVELOPE', 'EMESSAGE'].includes(codeOf(error) ?? '');
  if (LOGIN_REPLIES.has(responseCode) || !MESSAGE_COMMANDS.has(String(command))) return false;
  // 503 is about the session's order of commands: another session may do.
  return responseCode >= 500 && responseCode < 600 && responseCode !== 503;
}

/** Some servers answer a login with what they were sent, as it was or in base64. */
function hideCredentials(words: string, smtpUrl: string): string {
  const { username = '', password = '' } = URL.parse(smtpUrl) ?? {};
  const [user, secret] = [decode(username), decode(password)];
  const plain = [user, secret, username, password, `\0${user}\0${secret}`];
  const hidden = [...plain, ...plain.map(toBase64)].filter((part) => part.length > 2);
  return hidden.sort((a, b) => b.length - a.length).reduce((text, part) => text.replaceAll(part, '***'), words);
}

const toBase64 = (text: string): string => (text === '' ? '' : Buffer.from(text).toString('base64'));

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a bare % in it: then it is meant as it is
  }
}
