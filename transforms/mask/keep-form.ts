import { createHmac } from 'node:crypto';

const digits = '0123456789';
const small = 'abcdefghijklmnopqrstuvwxyz';
const capitals = small.toUpperCase();

/**
 * Another text of the same form: a digit for each digit, a letter of the same case for each letter, all else as it is.
 * Letters beyond ASCII become ASCII letters, since they could give the text away. The same text and key give the same.
 */
export function keepForm(text: string, key: string): string {
  let stream = Buffer.alloc(0);
  let block = 0;
  let used = 0;
  const next = (alphabet: string): string => {
    // Bytes that would favour some characters are left out.
    const limit = 256 - (256 % alphabet.length);
    for (;;) {
      if (used === stream.length) {
        stream = createHmac('sha256', key).update(`${block++}\0${text}`, 'utf8').digest();
        used = 0;
      }
      const byte = stream[used++] ?? 0;
      if (byte < limit) return alphabet[byte % alphabet.length] ?? '';
    }
  };
  let made = '';
  for (const character of text) {
    if (/^\p{Nd}$/u.test(character)) made += next(digits);
    else if (/^\p{Lu}$/u.test(character)) made += next(capitals);
    else if (/^\p{L}$/u.test(character)) made += next(small);
    else made += character;
  }
  return made;
}
