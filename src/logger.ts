import type { Logger } from 'winston';
import type { LogLevel } from './config';
import { oneLine } from './errors';
import { type Emit, type EventName, type Events, WORDING } from './events';
import { harmlessJson } from './harmless';

const SEVERITY: Record<LogLevel, number> = { error: 0, warn: 1, info: 2, debug: 3 };

export interface LogOptions {
  /** Least severe level that is told. Without it: `info` on a terminal, `warn` elsewhere, since cron mails what is printed. */
  level?: LogLevel | undefined;
  /** A file that gets every told event as a JSON line, beside stderr. */
  file?: string | undefined;
  /** @default whether stderr is a terminal */
  terminal?: boolean;
}

export interface Log {
  emit: Emit;
  /** Resolves once everything told is written. What is told after it is not heard: the process is about to end. */
  close(): Promise<void>;
}

/**
 * Tells events on stderr: sentences, or JSON lines where `level` asks for info or debug. winston is
 * loaded with the first event that is told: an idle tick tells none, and should not pay for it.
 */
export function createLog({ level, file, terminal = process.stderr.isTTY === true }: LogOptions): Log {
  const threshold = level ?? (terminal ? 'info' : 'warn');
  const json = level === 'info' || level === 'debug';
  let logger: Logger | undefined;
  // A suspect's process may end later than its run: winston answers what comes too late with an error that nobody catches.
  let isClosed = false;
  return {
    emit(name, facts) {
      if (isClosed) return;
      const severity = levelOf(name, facts);
      if (SEVERITY[severity] > SEVERITY[threshold]) return;
      logger ??= openWinston(threshold, json, file);
      logger.log({ level: severity, message: WORDING[name].say(facts), event: name, facts });
    },
    close: () =>
      new Promise((resolve) => {
        isClosed = true;
        if (logger === undefined) return resolve();
        logger.on('finish', () => resolve());
        logger.end();
      }),
  };
}

/** How severe an event is. */
export function levelOf<N extends EventName>(name: N, facts: Events[N]): LogLevel {
  const { level } = WORDING[name];
  return typeof level === 'function' ? level(facts) : level;
}

function openWinston(level: LogLevel, json: boolean, file: string | undefined): Logger {
  const winston = require('winston') as typeof import('winston');
  const { combine, printf } = winston.format;
  const asJson = printf(({ level: severity, message, event, facts }) =>
    harmlessJson(
      JSON.stringify({ time: new Date().toISOString(), level: severity, event, message, ...(facts as object) }),
    ),
  );
  const asSentence = printf(({ message }) => `rowlock: ${oneLine(String(message))}`);
  return winston.createLogger({
    level,
    levels: SEVERITY,
    transports: [
      new winston.transports.Console({
        stderrLevels: Object.keys(SEVERITY),
        format: combine(json ? asJson : asSentence),
      }),
      ...(file === undefined ? [] : [new winston.transports.File({ filename: file, format: combine(asJson) })]),
    ],
  });
}
