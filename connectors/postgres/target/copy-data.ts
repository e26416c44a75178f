/** A message of the protocol that holds a piece of what is copied. */
export type CopyData = Buffer & { readonly __brand: 'CopyData' };

/** Written once, where it is to be sent from. */
export function copyData(text: string): CopyData {
  const bytes = Buffer.byteLength(text);
  const message = Buffer.allocUnsafe(bytes + 5);
  message[0] = 'd'.charCodeAt(0);
  message.writeInt32BE(bytes + 4, 1);
  message.write(text, 5);
  return message as CopyData;
}

export function copyBytes(text: Buffer): CopyData {
  const head = Buffer.allocUnsafe(5);
  head[0] = 'd'.charCodeAt(0);
  head.writeInt32BE(text.length + 4, 1);
  return Buffer.concat([head, text]) as Buffer as CopyData;
}
