import type { AddressInfo, Socket } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** A mail server that keeps what it is sent. */
export interface MailServer {
  url: string;
  mails: ParsedMail[];
  connections: () => number;
  server: SMTPServer;
  /** Breaks off every conversation. */
  hangUp(): void;
  stop(): Promise<void>;
}

const open = new Set<MailServer>();

afterAll(async () => {
  for (const server of open) await server.stop();
});

/**
 * Stopped at the end of the file at the latest; what `options` does not refuse is received.
 *
 * @param port of an earlier one, that is to be there again. @default any
 */
export async function startMailServer(options: SMTPServerOptions = {}, login = '', port = 0): Promise<MailServer> {
  const mails: ParsedMail[] = [];
  let connections = 0;
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    hideENHANCEDSTATUSCODES: true,
    closeTimeout: 100,
    onConnect: (_session, done) => {
      connections += 1;
      done();
    },
    onData: (stream, _session, done) => {
      simpleParser(stream).then((mail) => {
        mails.push(mail);
        done(null, 'queued as 1');
      }, done);
    },
    ...options,
  });
  server.on('error', () => undefined); // a client that breaks off is what some tests are about
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.server.address() as AddressInfo;
  const mailServer: MailServer = {
    url: `smtp://${login}127.0.0.1:${address.port}`,
    mails,
    connections: () => connections,
    server,
    hangUp() {
      for (const { _socket } of server.connections as Set<{ _socket: Socket }>) _socket.destroy();
    },
    async stop() {
      if (open.delete(mailServer)) await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  open.add(mailServer);
  return mailServer;
}

/** What a server says to what it does not take. */
export const reply = (code: number, words: string): Error => Object.assign(new Error(words), { responseCode: code });
