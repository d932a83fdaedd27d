import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FilterImplOptions, Liquid, LiquidError, Template } from 'liquidjs';
import { codeOf, messageOf, UnrecoverableError } from '../errors';
import { findNearest } from '../nearest';
import type { MailText } from './broadcast-payload';
import { listColumns } from './broadcast-recipient';

/** A mail into which the values of one recipient can be put. */
export interface MailTemplate {
  /** The names that its `{{name}}` stand for, but for those that it gives a value itself. */
  names: string[];
  /**
   * Answers with the mail, or with why this recipient's values make none.
   *
   * @param line the recipient's, for an error
   * @throws UnrecoverableError if it takes too much memory or asks for another template; another error if it takes too
   *   long
   */
  fill(values: Record<string, unknown>, line: number): MailText | { fault: string };
}

/**
 * @param given a template's name, or its texts
 * @throws UnrecoverableError if there is no such template, or it has a mistake
 */
export async function loadTemplate(given: string | MailText, folder: string | undefined): Promise<MailTemplate> {
  const texts = typeof given === 'string' ? await readTemplate(given, folder) : given;
  return compile(texts);
}

async function readTemplate(name: string, folder: string | undefined): Promise<MailText> {
  // Not for good: the jobs run once the setting is there.
  if (folder === undefined) throw new Error('MAIL_TEMPLATE_DIR is not set, and the payload names a template in it');
  const read = (ending: string) => readPart(join(folder, `${name}.${ending}`));
  const [subject, text, html] = [await read('subject'), await read('txt'), await read('html')];
  const unsubscribe = await read('unsubscribe');
  const missing = subject === undefined ? `${name}.subject` : `${name}.txt or ${name}.html or both`;
  if (subject === undefined || (text === undefined && html === undefined))
    throw new UnrecoverableError(`the template ${name} is not whole; add ${missing} to ${folder}`);
  return { subject, text, html, unsubscribe };
}

async function readPart(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).replace(/^\uFEFF/, ''); // a byte order mark, as editors write it
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new Error(`${path} cannot be read (${codeOf(error)}); let the user of the worker read it`, { cause: error });
  }
}

/**
 * Whoever may insert a job may write a template: it reads no file, and one that never ends is stopped. Milliseconds by
 * the clock, so that a machine that stood still for a moment stops none.
 */
const LIMITS = { parseLimit: 1_000_000, memoryLimit: 10_000_000, renderLimit: 10_000 };

/**
 * Liquid, as it says no to a name without a value and to a filter that there is none of, finds the names beforehand,
 * looks into no object's prototype, has limits, and makes no code of a template. Of the others mustache.js leaves an
 * unknown name blank, and Handlebars compiles what it is given to JavaScript.
 */
function openEngine(isHtml: boolean): Liquid {
  const { filters, Liquid } = require('liquidjs') as typeof import('liquidjs');
  const engine = new Liquid({
    ...LIMITS,
    strictVariables: true,
    strictFilters: true,
    lenientIf: true, // {{ name | default: "friend" }} and {% if name %} may ask for what is not there
    ownPropertyOnly: true,
    templates: {}, // the only ones that {% include %} finds
    ...(isHtml && { outputEscape: 'escape' as const }),
  });
  for (const name of isHtml ? ESCAPING : []) {
    engine.registerFilter(name, { handler: filters[name], raw: true } as FilterImplOptions);
  }
  return engine;
}

/** As templates from elsewhere have them: what ends with one of these is escaped, and not once more. */
const ESCAPING = ['escape', 'escape_once', 'xml_escape'];

function compile({ subject, text, html, unsubscribe }: MailText): MailTemplate {
  const plain = openEngine(false);
  const escaping = openEngine(true);
  const parts = {
    subject: parse(plain, 'subject', subject),
    text: text === undefined ? undefined : parse(plain, 'text', text),
    html: html === undefined ? undefined : parse(escaping, 'html', html),
    unsubscribe: unsubscribe === undefined ? undefined : parse(plain, 'unsubscribe', unsubscribe),
  };
  return {
    names: listNames(
      plain,
      Object.values(parts).flatMap((part) => part ?? []),
    ),
    fill: (values, line) => {
      try {
        return {
          subject: toOneLine(plain.renderSync(parts.subject, values)),
          text: parts.text && plain.renderSync(parts.text, values),
          html: parts.html && escaping.renderSync(parts.html, values),
          unsubscribe: parts.unsubscribe && toOneLine(plain.renderSync(parts.unsubscribe, values)),
        };
      } catch (error) {
        const fault = findStandingFault(error);
        if (fault === undefined) return { fault: sayMisfit(error) };
        throw fault.isForGood
          ? new UnrecoverableError(`the template cannot be filled in for line ${line}: ${fault.words}; correct it`)
          : new Error(`the template cannot be filled in for line ${line}: ${fault.words}`, { cause: error });
      }
    },
  };
}

/** As Liquid's limits call themselves: they have no code. */
const OUT_OF_TIME = 'template render limit exceeded';
const OUT_OF_MEMORY = 'memory alloc limit exceeded';

/**
 * What is the template's fault, whoever gets the mail. Undefined: it is this recipient's, whose value a filter cannot
 * take, such as a `%` in what is to be decoded.
 */
function findStandingFault(error: unknown): { words: string; isForGood: boolean } | undefined {
  const { originalError: cause = error } = error as Partial<LiquidError>;
  const said = (cause as Error).message;
  if (codeOf(cause) === 'ENOENT') return { words: 'it asks for another template', isForGood: true };
  // Each recipient of an endless one would hold the worker up to the limit: it does not get to the next.
  if (said === OUT_OF_MEMORY) return { words: said, isForGood: true };
  // On a machine that is busy it may have been near its end.
  if (said === OUT_OF_TIME) return { words: said, isForGood: false };
  return undefined;
}

const LONGEST_QUOTE = 100;

/** The template's own words, such as `{{ points | plus: 1 }}`, and none of the recipient's. */
function sayMisfit(error: unknown): string {
  const { originalError: cause = error, token } = error as Partial<LiquidError>;
  const place = token === undefined ? '' : ` at ${toOneLine(token.getText().slice(0, LONGEST_QUOTE))}`;
  return `does not fit the template${place}: ${(cause as Error).message}`;
}

/** What a recipient is called must begin no header of its own. */
const toOneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();

function parse(engine: Liquid, part: keyof MailText, text: string): Template[] {
  try {
    return engine.parse(text);
  } catch (error) {
    throw new UnrecoverableError(`the template's ${part} has a mistake: ${messageOf(error)}; correct it`);
  }
}

function listNames(engine: Liquid, parts: Template[]): string[] {
  try {
    return engine.globalVariablesSync(parts);
  } catch (error) {
    throw new UnrecoverableError(`the template asks for another one: ${messageOf(error)}; put that into it`);
  }
}

/**
 * Refuses a template before the first mail is enqueued.
 *
 * @param known the recipients' columns and the payload's own values
 * @throws UnrecoverableError for a name that none of them has
 */
export function requireKnown({ names }: MailTemplate, known: string[]): void {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const words = unknown.map((name) => {
    const near = findNearest(name, known);
    return near === undefined ? `{{${name}}}` : `{{${name}}} (did you mean {{${near}}}?)`;
  });
  throw new UnrecoverableError(
    `the template has ${words.join(', ')}, and the recipients have no such column; they have ${listColumns(known)}`,
  );
}
