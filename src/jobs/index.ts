import type { JobSettings } from '../config';
import type { JobDefinition } from '../worker/define';
import { csvImport } from './csv-import';
import { emailBroadcast } from './email-broadcast';
import { emailSend } from './email-send';
import { reportGenerate } from './report-generate';
import { videoTranscode } from './video-transcode';
import { webhookDeliver } from './webhook-deliver';

/** The job types that ship with Rowlock, each where the settings that it needs are present. */
export function builtInJobs({
  smtpUrl,
  mailFrom,
  mailTemplateDir,
  mailSqlDir,
  jobFilesDir,
  csvImportTables,
  reportDir,
  reportDatabase,
  reportSqlDir,
  ffmpegPath,
  webhookSecrets,
  webhookAllowPrivate,
  webhookTimeoutMs,
}: JobSettings): JobDefinition[] {
  const jobs: JobDefinition[] = [];
  if (smtpUrl !== undefined) {
    jobs.push(emailSend({ smtpUrl, mailFrom }));
    const recipients = { filesDir: jobFilesDir, sqlDir: mailSqlDir, database: reportDatabase };
    if (jobFilesDir !== undefined || mailSqlDir !== undefined)
      jobs.push(emailBroadcast({ ...recipients, templateDir: mailTemplateDir }));
  }
  if (jobFilesDir !== undefined && csvImportTables !== undefined) {
    jobs.push(csvImport({ filesDir: jobFilesDir, tables: csvImportTables }));
  }
  if (reportDir !== undefined && reportDatabase !== undefined) {
    jobs.push(reportGenerate({ reportDir, database: reportDatabase, reportsFolder: reportSqlDir }));
  }
  if (jobFilesDir !== undefined && ffmpegPath !== undefined) jobs.push(videoTranscode({ jobFilesDir, ffmpegPath }));
  if (webhookSecrets !== undefined) {
    const limits = { allowPrivate: webhookAllowPrivate, timeoutMs: webhookTimeoutMs };
    jobs.push(webhookDeliver({ secrets: webhookSecrets, ...limits }));
  }
  return jobs;
}

/** The job types that {@link builtInJobs} leaves out, and the variables that each wants. */
export function leftOutJobs({
  smtpUrl,
  mailSqlDir,
  jobFilesDir,
  csvImportTables,
  reportDir,
  reportDatabase,
  ffmpegPath,
  webhookSecrets,
}: JobSettings): { type: string; missing: string[] }[] {
  const wanted = {
    'csv.import': { JOB_FILES_DIR: jobFilesDir, CSV_IMPORT_TABLES: csvImportTables },
    'email.send': { SMTP_URL: smtpUrl },
    'email.broadcast': { SMTP_URL: smtpUrl, 'JOB_FILES_DIR or MAIL_SQL_DIR': jobFilesDir ?? mailSqlDir },
    'report.generate': { REPORT_DIR: reportDir, DATABASE_URL: reportDatabase },
    'video.transcode': { JOB_FILES_DIR: jobFilesDir, FFMPEG_PATH: ffmpegPath },
    'webhook.deliver': { WEBHOOK_SECRET: webhookSecrets },
  };
  return Object.entries(wanted)
    .map(([type, settings]) => ({
      type,
      missing: Object.entries(settings).flatMap(([variable, value]) => (value === undefined ? [variable] : [])),
    }))
    .filter(({ missing }) => missing.length > 0);
}
