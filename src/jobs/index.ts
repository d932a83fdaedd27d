import type { JobSettings } from '../config';
import type { JobDefinition } from '../worker/define';
import { emailSend } from './email-send';
import { reportGenerate } from './report-generate';

/** The job types that ship with Rowlock, each where the setting that it needs is present. */
export function builtInJobs({
  smtpUrl,
  mailFrom,
  reportDir,
  reportDatabase,
  reportSqlDir,
}: JobSettings): JobDefinition[] {
  const jobs: JobDefinition[] = [];
  if (smtpUrl !== undefined) jobs.push(emailSend({ smtpUrl, mailFrom }));
  if (reportDir !== undefined && reportDatabase !== undefined) {
    jobs.push(reportGenerate({ reportDir, database: reportDatabase, reportsFolder: reportSqlDir }));
  }
  return jobs;
}
