import { createHash } from 'node:crypto';
import type { JobInfo } from '../worker/define';

/** 32 hexadecimal digits, the same for the same text: 128 bits, so that no two are met that are the same. */
export const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);

/** The same for each attempt of a job. Two databases may have a job of the same id, hardly of the same millisecond. */
export const stableId = ({ id, type, createdAt }: Pick<JobInfo, 'id' | 'type' | 'createdAt'>): string =>
  digestOf(`${createdAt.toISOString()} ${type} ${id}`);
