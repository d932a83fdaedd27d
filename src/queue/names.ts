/** A name as the server compares it: trailing spaces do not count, so that `mail ` is the queue, or the type, `mail`. */
export const withoutPadding = (name: string): string => name.replace(/ +$/, '');
