/** `\x00ff`, or the older form with octal escapes; null for anything else. */
export function parseBytea(text: string): Buffer | null {
  if (text.startsWith('\\x')) {
    const digits = text.slice(2);
    if (!/^(?:[ \n\t\r]*[0-9a-fA-F]{2})*[ \n\t\r]*$/.test(digits)) return null;
    return Buffer.from(digits.replace(/\s/g, ''), 'hex');
  }
  const parts: Buffer[] = [];
  const token = /[^\\]+|\\\\|\\([0-3][0-7]{2})/y;
  for (let at = 0; at < text.length; at = token.lastIndex) {
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) return null;
    if (match[1] !== undefined) parts.push(Buffer.from([Number.parseInt(match[1], 8)]));
    else parts.push(Buffer.from(match[0] === '\\\\' ? '\\' : match[0], 'utf8'));
  }
  return Buffer.concat(parts);
}

export function byteaText(value: Buffer): string {
  return `\\x${value.toString('hex')}`;
}
