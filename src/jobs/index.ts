import type { JobSettings } from '../config';
import type { JobDefinition } from '../worker/define';
import { csvImport } from './csv-import';
import { emailSend } from './email-send';
import { reportGenerate } from './report-generate';

/** The job types that ship with Rowlock, each where the setting that it needs is present. */
export function builtInJobs({
  smtpUrl,
  mailFrom,
  jobFilesDir,
  csvImportTables,
  reportDir,
  reportDatabase,
  reportSqlDir,
}: JobSettings): JobDefinition[] {
  const jobs: JobDefinition[] = [];
  if (smtpUrl !== undefined) jobs.push(emailSend({ smtpUrl, mailFrom }));
  if (jobFilesDir !== undefined && csvImportTables !== undefined) {
    jobs.push(csvImport({ filesDir: jobFilesDir, tables: csvImportTables }));
  }
  if (reportDir !== undefined && reportDatabase !== undefined) {
    jobs.push(reportGenerate({ reportDir, database: reportDatabase, reportsFolder: reportSqlDir }));
  }
  return jobs;
}

/** The job types that {@link builtInJobs} leaves out, and the variables that each wants. */
export function leftOutJobs({
  smtpUrl,
  jobFilesDir,
  csvImportTables,
  reportDir,
  reportDatabase,
}: JobSettings): { type: string; missing: string[] }[] {
  const wanted = {
    'email.send': { SMTP_URL: smtpUrl },
    'csv.import': { JOB_FILES_DIR: jobFilesDir, CSV_IMPORT_TABLES: csvImportTables },
    'report.generate': { REPORT_DIR: reportDir, DATABASE_URL: reportDatabase },
  };
  return Object.entries(wanted)
    .map(([type, settings]) => ({
      type,
      missing: Object.entries(settings).flatMap(([variable, value]) => (value === undefined ? [variable] : [])),
    }))
    .filter(({ missing }) => missing.length > 0);
}
