/** What people upload for a CSV file. */
const OTHER_FORMATS: [name: string, start: Buffer][] = [
  ['a ZIP archive, as .xlsx is; save it as CSV', Buffer.from('PK\u0003\u0004')],
  ['an old Excel file; save it as CSV', Buffer.from([0xd0, 0xcf, 0x11, 0xe0])],
  ['gzipped; unpack it first', Buffer.from([0x1f, 0x8b])],
  ['a PDF', Buffer.from('%PDF-')],
  ['UTF-16; convert it, as with iconv -f UTF-16 -t UTF-8', Buffer.from([0xff, 0xfe])],
  ['UTF-16; convert it, as with iconv -f UTF-16 -t UTF-8', Buffer.from([0xfe, 0xff])],
];

/** What a file is, as its first bytes tell, and how to mend that; undefined: it may be CSV. */
export const findOtherFormat = (head: Buffer): string | undefined =>
  OTHER_FORMATS.find(([, start]) => head.subarray(0, start.length).equals(start))?.[0];
