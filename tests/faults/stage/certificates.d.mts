/** Whether this machine can make certificates. */
export declare function hasOpenssl(): boolean;

/** A server's certificate, its key and who signed it, as files. */
export interface Certificate {
  cert: string;
  key: string;
  ca: string;
}

/** A CA of the test's own. */
export declare class Authority {
  constructor(folder: string, name: string);
  /** Its own certificate, in PEM. */
  get file(): string;
  sign(names: string[], options?: { days?: number }): Certificate;
}
