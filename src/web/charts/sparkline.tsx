const width = 96;
const height = 22;

/** A small line without axes; what it says in numbers stands beside it. */
export function Sparkline({ values }: { readonly values: readonly (number | null)[] }) {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return <svg class="spark" width={width} height={height} aria-hidden="true" />;
  const top = Math.max(...known, 1e-9);
  const step = width / (values.length - 1);
  let pen = 'M';
  let line = '';
  for (const [at, value] of values.entries()) {
    if (value === null) {
      pen = 'M';
      continue;
    }
    line += `${pen}${(at * step).toFixed(1)} ${(height - 2 - (value / top) * (height - 4)).toFixed(1)}`;
    pen = 'L';
  }
  return (
    <svg class="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <path d={line} />
    </svg>
  );
}
