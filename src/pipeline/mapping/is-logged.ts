import type { TableVersion } from '../../core/table.ts';

/** The old value is in every old image. */
export function isLogged(source: TableVersion, index: number): boolean {
  return source.identity === 'full' || source.columns[index]?.key === true;
}
