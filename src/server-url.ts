import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Where the database is, as mysql2 takes it. Holds the password: never printed. */
export interface ConnectionSettings {
  host: string;
  port: number;
  user: string;
  password?: string;
  database: string;
  socketPath?: string;
  ssl?: TlsSettings;
}

/** TLS with a server that has to prove who it is. */
export interface TlsSettings {
  /** Certificates in PEM, of which one has to have signed the server's. Without it: those that Node trusts. */
  ca?: string;
  /** Whether the server's certificate has to name the host, or it is enough that the CA signed it. */
  verifyIdentity: boolean;
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
  const unknown = [...url.searchParams.keys()].find((key) => !PARAMETERS.includes(key));
  if (unknown !== undefined) return `has the unknown parameter "${unknown}" (known: ${PARAMETERS.join(', ')})`;
  const socketPath = url.searchParams.get('socket');
  const ssl = readTls(url.searchParams);
  if (typeof ssl === 'string') return ssl;
  if (ssl !== undefined && socketPath !== null)
    return 'asks for TLS on a socket, which leaves this machine nowhere; leave one of them out';
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 3306 : Number(url.port),
    user,
    ...(password === '' ? {} : { password }),
    database,
    ...(socketPath === null ? {} : { socketPath }),
    ...(ssl === undefined ? {} : { ssl }),
  };
}

const PARAMETERS = ['ssl', 'ssl-ca', 'ssl-verify', 'socket'];

/** Undefined: no TLS is asked for. A string: what is wrong. */
function readTls(parameters: URLSearchParams): TlsSettings | string | undefined {
  const file = parameters.get('ssl-ca');
  const verify = parameters.get('ssl-verify');
  const wanted = parameters.get('ssl') ?? String(file !== null || verify !== null);
  if (wanted !== 'true' && wanted !== 'false')
    return 'has another ssl than true or false; a certificate is always verified';
  if (wanted === 'false')
    return file === null && verify === null ? undefined : 'has ssl=false beside other words on TLS';
  if (verify !== null && verify !== 'identity' && verify !== 'ca') return 'has another ssl-verify than identity or ca';
  // Anybody gets a certificate from one of the CAs that everybody trusts, for a host of his own.
  if (verify === 'ca' && file === null)
    return 'has ssl-verify=ca and no ssl-ca: name the file with the CA that alone is trusted';
  const verifyIdentity = verify !== 'ca';
  if (file === null) return { verifyIdentity };
  const ca = readCa(file);
  return ca === undefined
    ? 'names an ssl-ca file that is not there, or holds no certificate in PEM; give its whole path'
    : { ca, verifyIdentity };
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** A file without any would be taken by TLS, and no server be trusted. */
function readCa(file: string): string | undefined {
  try {
    const certificates = readFileSync(file, 'utf8').match(CERTIFICATE) ?? [];
    for (const certificate of certificates) new X509Certificate(certificate);
    return certificates.length === 0 ? undefined : certificates.join('\n');
  } catch {
    return undefined; // cannot be read, or parsed: the caller names the fault
  }
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined; // a bare % in it: the caller names the fault
  }
}
