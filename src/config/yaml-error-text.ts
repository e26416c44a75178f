/**
 * The parser's own messages may quote the text at the place, which may be a secret; these say the same without it.
 */
const texts: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'an alias can have neither an anchor nor a tag',
  BAD_ALIAS: 'there is no anchor of the name of this alias, or the name is not valid',
  BAD_COLLECTION_TYPE: 'a tag does not fit the list or mapping that it is on',
  BAD_DIRECTIVE: 'a line that begins with % is not a known directive',
  BAD_DQ_ESCAPE: 'there is no such escape in double quotes; use single quotes or write the backslash twice',
  BAD_INDENT: 'the indentation does not fit the lines above',
  BAD_PROP_ORDER: 'anchors and tags stand before the indicators - ? and :',
  BAD_SCALAR_START: 'text cannot begin with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'a nested mapping or list cannot stand on this line: does the indentation of the next one fit?',
  BLOCK_IN_FLOW: 'a block mapping or list cannot stand inside of { } or [ ]',
  DUPLICATE_KEY: 'this key is already there in the same mapping',
  KEY_OVER_1024_CHARS: 'a key is longer than 1024 characters',
  MISSING_CHAR: 'a quote, bracket, colon, comma or space is missing here',
  MULTILINE_IMPLICIT_KEY: 'a colon is missing after the key, or the indentation does not fit the lines around it',
  MULTIPLE_ANCHORS: 'a value can have one anchor',
  MULTIPLE_DOCS: 'the file must hold one document (---)',
  MULTIPLE_TAGS: 'a value can have one tag',
  NON_STRING_KEY: 'a key must be text',
  RESOURCE_EXHAUSTION: 'it is nested too deeply, or too large',
  TAB_AS_INDENT: 'tabs cannot indent; use spaces',
  TAG_RESOLVE_FAILED: 'the tag is not known, or the value does not fit it',
  UNEXPECTED_TOKEN:
    'this does not fit here: a bracket, comma or quote is missing before it, or text with one of { } [ ] , # : needs double quotes',
};

export function describeYamlError(code: string): string {
  return texts[code] ?? `not valid YAML (${code})`;
}
