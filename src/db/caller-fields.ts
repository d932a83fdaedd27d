/** A column as mysql2 gives it to a `typeCast` of one's own. */
interface Field {
  type: string;
  string(): string | null;
  buffer(): Buffer | null;
}

const INTEGERS = new Set(['TINY', 'SHORT', 'LONG', 'INT24', 'LONGLONG', 'YEAR']);

/** Values as Rowlock's own sessions have them: JSON as text, times in UTC, no integer rounded. */
export function readField(field: Field): unknown {
  if (field.type === 'JSON') return field.buffer()?.toString('utf8') ?? null; // mysql2 takes it for binary
  const text = field.string();
  if (text === null) return null;
  if (INTEGERS.has(field.type)) return Number.isSafeInteger(Number(text)) ? Number(text) : text;
  if (field.type === 'DOUBLE' || field.type === 'FLOAT') return Number(text);
  if (field.type === 'TIMESTAMP' || field.type === 'DATETIME') return new Date(`${text.replace(' ', 'T')}Z`);
  return text;
}
