import type { JobSettings } from '../config';
import type { JobDefinition } from '../worker/define';
import { emailBroadcast } from './email-broadcast';
import { emailSend } from './email-send';
import { reportGenerate } from './report-generate';

/** The job types that ship with Rowlock, each where the setting that it needs is present. */
export function builtInJobs({
  smtpUrl,
  mailFrom,
  mailTemplateDir,
  mailSqlDir,
  jobFilesDir,
  reportDir,
  reportDatabase,
  reportSqlDir,
}: JobSettings): JobDefinition[] {
  const jobs: JobDefinition[] = [];
  if (smtpUrl !== undefined) {
    jobs.push(emailSend({ smtpUrl, mailFrom }));
    const recipients = { filesDir: jobFilesDir, sqlDir: mailSqlDir, database: reportDatabase };
    if (jobFilesDir !== undefined || mailSqlDir !== undefined)
      jobs.push(emailBroadcast({ ...recipients, templateDir: mailTemplateDir }));
  }
  if (reportDir !== undefined && reportDatabase !== undefined) {
    jobs.push(reportGenerate({ reportDir, database: reportDatabase, reportsFolder: reportSqlDir }));
  }
  return jobs;
}

/** The job types that {@link builtInJobs} leaves out, and the variables that each wants. */
export function leftOutJobs({
  smtpUrl,
  mailSqlDir,
  jobFilesDir,
  reportDir,
  reportDatabase,
}: JobSettings): { type: string; missing: string[] }[] {
  const wanted = {
    'email.send': { SMTP_URL: smtpUrl },
    'email.broadcast': { SMTP_URL: smtpUrl, 'JOB_FILES_DIR or MAIL_SQL_DIR': jobFilesDir ?? mailSqlDir },
    'report.generate': { REPORT_DIR: reportDir, DATABASE_URL: reportDatabase },
  };
  return Object.entries(wanted)
    .map(([type, settings]) => ({
      type,
      missing: Object.entries(settings).flatMap(([variable, value]) => (value === undefined ? [variable] : [])),
    }))
    .filter(({ missing }) => missing.length > 0);
}
