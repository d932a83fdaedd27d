import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';

type Complete<T> = StandardSchemaV1<unknown, T> & StandardJSONSchemaV1<unknown, T>;

/** A schema that is built when the first payload comes: most runs see none, and loading zod takes its time. */
export function lazySchema<T>(build: () => Complete<T>): Complete<T> {
  let built: Complete<T> | undefined;
  const standard = () => {
    built ??= build();
    return built['~standard'];
  };
  return {
    '~standard': {
      version: 1,
      vendor: 'rowlock',
      validate: (value) => standard().validate(value),
      get jsonSchema() {
        return standard().jsonSchema;
      },
    },
  };
}
