import { existsSync, readFileSync } from 'node:fs';

/** Where the database is, as mysql2 takes it. Holds the password: never printed. */
export interface ConnectionSettings {
  host: string;
  port: number;
  user: string;
  password?: string;
  database: string;
  socketPath?: string;
  ssl?: { ca?: string };
}

/** The server's name for messages: never the user, never the password. */
export const serverName = ({ host, port, socketPath }: ConnectionSettings): string => socketPath ?? `${host}:${port}`;

/** The parts of a server's URL, or what is wrong with it in words that hold no part of it. */
export function parseServerUrl(text: string): ConnectionSettings | string {
  const form =
    'is not of the form mysql://user:password@host:3306/database (percent-encode special characters of the password)';
  // With a bare @ or # of a password the rest would be taken for the host, and be told.
  if (text.split('@').length > 2 || text.includes('#')) return form;
  const url = URL.parse(text);
  if (url === null || !/^(mysql|mariadb):$/.test(url.protocol) || url.hostname === '') return form;
  // Whatever stands before an @ may be the password: an @ that the host is not behind would show it as something else.
  if (text.includes('@') && url.username === '') return form;
  const database = decode(url.pathname.slice(1));
  const user = decode(url.username);
  const password = decode(url.password);
  if (database === undefined || user === undefined || password === undefined) return form;
  if (database === '' || database.includes('/'))
    return 'names no database; end it with /database, and write special characters of the password as %23 and the like (in an env file # begins a comment)';
  const unknown = [...url.searchParams.keys()].find((key) => !['ssl', 'ssl-ca', 'socket'].includes(key));
  if (unknown !== undefined) return `has the unknown parameter "${unknown}" (known: ssl, ssl-ca, socket)`;
  const socketPath = url.searchParams.get('socket');
  const ca = url.searchParams.get('ssl-ca');
  const encrypted = ca !== null || (url.searchParams.get('ssl') ?? 'false') !== 'false';
  if (ca !== null && !existsSync(ca)) return 'names an ssl-ca file that does not exist';
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 3306 : Number(url.port),
    user,
    ...(password === '' ? {} : { password }),
    database,
    ...(socketPath === null ? {} : { socketPath }),
    ...(encrypted ? { ssl: ca === null ? {} : { ca: readFileSync(ca, 'utf8') } } : {}),
  };
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined; // a bare % in it: the caller names the fault
  }
}
