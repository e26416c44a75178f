/** A piece of the messages of the protocol that hold what is copied. All pieces, one behind the other, are whole messages. */
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

/** Of bytes that nobody writes to any more: they are sent from where they lie. */
export function copyBytes(text: Buffer): CopyData[] {
  const head = Buffer.allocUnsafe(5);
  head[0] = 'd'.charCodeAt(0);
  head.writeInt32BE(text.length + 4, 1);
  return [head as CopyData, text as CopyData];
}
