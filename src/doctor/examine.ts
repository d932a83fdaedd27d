import { isConnectionLost, isDenied, isMissingIndex, isMissingTable, isWriteRefused } from '../db/faults';
import { ConfigError, messageOf, oneLine, UnreachableError } from '../errors';
import { CHECKS } from './checks';
import { type Check, type Finding, fault, type Subject, unknown, warning } from './finding';

/** One line of the doctor's. The names are those of the command's JSON. */
export interface Examined extends Finding {
  check: string;
}

/**
 * Makes one check after the other and tells each as soon as it is made. One that cannot be made is a line
 * like the others; only a server that has gone ends the examination.
 */
export async function* examine(subject: Subject): AsyncGenerator<Examined> {
  let hasSchema = true;
  for (const check of CHECKS) {
    const finding = await make(check, subject, hasSchema);
    if (check.name === 'schema') hasSchema = finding.state === 'ok';
    yield { check: check.name, ...finding };
  }
}

async function make(check: Check, subject: Subject, hasSchema: boolean): Promise<Finding> {
  if (check.needsSchema === true && !hasSchema) return NO_SCHEMA;
  try {
    return await check.run(subject);
  } catch (error) {
    if (error instanceof UnreachableError || isConnectionLost(error)) throw error;
    if (error instanceof ConfigError) return fromConfigError(error);
    if (isDenied(error)) return check.whenDenied ?? DENIED;
    if (isWriteRefused(error)) {
      return unknown('cannot be checked on a server that takes no writes', 'see writable and binary-log');
    }
    if (isMissingIndex(error)) return hasSchema ? NO_KEY : NO_SCHEMA;
    if (isMissingTable(error)) return hasSchema ? fault(said(error), RESTORE) : NO_SCHEMA;
    return warning(`cannot be checked: ${said(error)}`, "see what the server's log has of it");
  }
}

const DENIED = unknown(
  'cannot be checked: this user lacks a privilege for it',
  'run rowlock doctor as a user that has it',
);

const NO_SCHEMA = unknown('needs the tables', 'see schema');

const NO_KEY = unknown('needs a key that is gone', 'see keys');

const RESTORE = 'somebody dropped or altered it: restore it as sql/migrations has it';

/** Rowlock's own messages are "what is wrong; the mend". */
function fromConfigError({ message }: ConfigError): Finding {
  const [detail = message, ...mend] = message.split('; ');
  return fault(detail, mend.join('; '));
}

const said = (error: unknown): string => oneLine(messageOf(error));
