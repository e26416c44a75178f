/** As the configuration wants names of deployments, nodes and routes. */
export const isName = (text: string): boolean => /^(?=.{1,30}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(text);

/** At most 24 characters of what the server calls its database, as the configuration wants names. */
export function nameFrom(text: string): string {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 24)
    .replace(/-+$/, '');
  return name === '' ? 'node' : name;
}

export function freeName(name: string, taken: readonly string[]): string {
  if (!taken.includes(name)) return name;
  const candidates = [`${name}-copy`, ...Array.from({ length: 98 }, (_, at) => `${name}-${at + 2}`)];
  return candidates.find((candidate) => !taken.includes(candidate)) ?? name;
}

/** As long as it can be read, and at most 30 characters. */
export function routeName(from: string, to: string): string {
  const whole = `${from}-to-${to}`;
  if (whole.length <= 30) return whole;
  const part = (text: string): string => text.slice(0, 11).replace(/-+$/, '');
  return `${part(from)}-to-${part(to)}`;
}
