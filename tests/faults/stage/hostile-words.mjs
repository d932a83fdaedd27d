/** A file that a shell, were one to read these words, would make in its working folder. */
export const SHELL_MARK = 'made-by-a-shell';

/** A table that SQL, were it run, would drop. */
export const SQL_MARK = 'customers';

const LONGEST = 255;

/** What is SQL, and breaks out of each kind of quotes. */
const SQL = [
  `'); DROP TABLE ${SQL_MARK}; -- x`,
  `"); DROP TABLE ${SQL_MARK}; -- x`,
  `\`; DROP TABLE ${SQL_MARK}; -- x`,
  `\\'); DROP TABLE ${SQL_MARK}; #`,
  `\\\\'; DELETE FROM background_jobs; -- x`,
  `' OR '1'='1`,
  `1 OR 1=1`,
  `x' UNION SELECT user, host FROM mysql.user -- x`,
  `/*! DROP TABLE ${SQL_MARK} */`,
  `/*M! SET GLOBAL read_only = 1 */`,
  `' INTO OUTFILE '${SHELL_MARK}`,
  `0x27 || X'27'`,
  `\uff07); DROP TABLE ${SQL_MARK}; --\u00a0`,
];

/** What the driver puts values in for. */
const PLACEHOLDERS = [
  ':rows',
  ':queue and :type',
  '?',
  '??',
  '{table}',
  ':ids)',
  `'`,
  '"',
  '`',
  '\\',
  `\\'`,
  `'${'\\'.repeat(3)}`,
];

/** What a shell would run. */
const SHELL = [
  `; touch ${SHELL_MARK}`,
  `$(touch ${SHELL_MARK})`,
  `\`touch ${SHELL_MARK}\``,
  `| touch ${SHELL_MARK} &`,
  `\${IFS}touch\${IFS}${SHELL_MARK}`,
  `'; touch ${SHELL_MARK}; '`,
  '--json',
  '--env-file=/etc/passwd',
  '@/etc/passwd',
  '-',
  '../../../../etc/passwd',
];

/** What looks like a line of a log, or commands the terminal of its reader. */
const LINES = [
  'a\nrowlock: OK: last run 1 s ago, 0 due, 0 failed today',
  'a\r\n{"level":"error","event":"worker.blocked"}',
  'a\rrowlock: nothing to see',
  '\u001b[2J\u001b[H\u001b]0;mine\u0007',
  '\u001b]52;c;cm0gLXJm\u0007',
  '\u009b31m\u0085',
  '\u0000',
  'a\u0000b',
  'a\tb\u007f\b\b\b',
  'a\u2028b\u2029c',
  '\u202egnp.exe\u2066',
];

/** What the text format of Prometheus is made of. */
const LABELS = [
  'x"} 1\nrowlock_up{a="',
  'x\\',
  'x\\"} 0',
  'x,status="due',
  '# HELP rowlock_up x\n# TYPE rowlock_up counter',
];

/** What a program trips over. */
const OTHERS = [
  '__proto__',
  'constructor',
  'toString',
  'null',
  'NaN',
  '%s%n%x%1$n',
  '<script>alert(1)</script>',
  '{{7*7}}',
  'a'.repeat(LONGEST),
  `'`.repeat(LONGEST),
  '\\'.repeat(LONGEST),
  '\u{1f4a5}'.repeat(LONGEST),
  'é'.normalize('NFD'),
  'ＤＲＯＰ',
];

/** Words for every field that somebody may write: none is empty, or ends with a blank, which the database does not see. */
export const HOSTILE_WORDS = [...SQL, ...PLACEHOLDERS, ...SHELL, ...LINES, ...LABELS, ...OTHERS];
