/**
 * The elements of an array as the server prints it, or as it is written: of one with several dimensions all of them, one
 * after the other. Null for what is no array.
 */
export function arrayElements(text: string): (string | null)[] | null {
  const inner = /^\s*(?:(?:\[[+-]?\d+(?::[+-]?\d+)?\])+\s*=\s*)?(\{.*\})\s*$/s.exec(text)?.[1];
  if (inner === undefined) return null;
  const token = /\s*([{},]|"(?:[^"\\]|\\.)*"|(?:[^{},"\\\s]|\\.|\s+(?=[^{},\s]))+)\s*/sy;
  const elements: (string | null)[] = [];
  let depth = 0;
  let wantsValue = false;
  for (let at = 0; at < inner.length; ) {
    token.lastIndex = at;
    const found = token.exec(inner)?.[0];
    if (found === undefined || (depth === 0 && at > 0)) return null;
    at += found.length;
    const written = found.trim();
    if (written === '{') {
      depth++;
      wantsValue = false;
    } else if (written === '}') {
      if (wantsValue) return null;
      depth--;
    } else if (written === ',') {
      if (wantsValue) return null;
      wantsValue = true;
    } else {
      wantsValue = false;
      if (written.startsWith('"')) elements.push(written.slice(1, -1).replace(/\\(.)/gs, '$1'));
      else elements.push(/^null$/i.test(written) ? null : written.replace(/\\(.)/gs, '$1'));
    }
  }
  return depth === 0 ? elements : null;
}
