/** A JSON document between its binary form and its text. A scalar is its text already. */
export type JsonNode = string | JsonObject | JsonArray;

export interface JsonObject {
  /** In the server's order: by the length of the key in bytes, then by its bytes. */
  readonly members: { readonly key: string; value: JsonNode }[];
}

export interface JsonArray {
  readonly items: JsonNode[];
}

/** As MySQL writes a document. */
export function jsonText(node: JsonNode): string {
  if (typeof node === 'string') return node;
  if ('items' in node) return `[${node.items.map(jsonText).join(', ')}]`;
  return `{${node.members.map(({ key, value }) => `${jsonString(key)}: ${jsonText(value)}`).join(', ')}}`;
}

/** Its escapes are the same as JavaScript's, lone surrogates aside, which no server stores. */
export function jsonString(text: string): string {
  return JSON.stringify(text);
}

/** Where a key stands, or would stand, among the members of an object. */
export function placeOfKey({ members }: JsonObject, key: string): { readonly index: number; readonly found: boolean } {
  const wanted = Buffer.from(key);
  for (const [index, member] of members.entries()) {
    if (member.key === key) return { index, found: true };
    const other = Buffer.from(member.key);
    const order = other.length - wanted.length || Buffer.compare(other, wanted);
    if (order > 0) return { index, found: false };
  }
  return { index: members.length, found: false };
}
