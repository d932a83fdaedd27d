import type { StandardJSONSchemaV1 } from '@standard-schema/spec';
import type { JobType } from '../worker/registry';

/** What a job type says of its payload. */
export type PayloadSchema =
  | { kind: 'any' }
  | { kind: 'shown'; schema: Record<string, unknown> }
  /** There is a schema, but its library does not offer it as JSON Schema, or it cannot be put so. */
  | { kind: 'hidden' };

/** zod's own: what has no place in JSON is let through, and a BigInt is what a large integer arrives as. */
const ZOD_OPTIONS = {
  unrepresentable: 'any',
  override({
    zodSchema,
    jsonSchema,
  }: {
    zodSchema: { _zod: { def: { type: string } } };
    jsonSchema: { type?: string };
  }) {
    if (zodSchema._zod.def.type === 'bigint') jsonSchema.type = 'integer';
  },
};

/** The schema of the payload as it is enqueued, as JSON Schema (draft 2020-12). */
export function readPayloadSchema(jobType: JobType): PayloadSchema {
  if (jobType.kind === 'command' || jobType.definition.payload === undefined) return { kind: 'any' };
  const standard = jobType.definition.payload['~standard'] as Partial<StandardJSONSchemaV1.Props> & { vendor: string };
  try {
    const schema: unknown = standard.jsonSchema?.input({
      target: 'draft-2020-12',
      // Rowlock's own types have zod inside.
      ...(['zod', 'rowlock'].includes(standard.vendor) && { libraryOptions: ZOD_OPTIONS }),
    });
    // A copy: what is no JSON in it is found out here.
    const copy: unknown = schema === undefined ? undefined : JSON.parse(JSON.stringify(schema));
    if (typeof copy === 'object' && copy !== null) return { kind: 'shown', schema: { ...copy } };
  } catch {
    return { kind: 'hidden' }; // the library's way to say that it has no words for it
  }
  return { kind: 'hidden' };
}
