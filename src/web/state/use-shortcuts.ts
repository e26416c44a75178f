import { useEffect } from 'preact/hooks';
import { helpIsOpen } from '../components/help-dialog.tsx';
import { bySeverity } from '../components/tone.ts';
import { liveStatus } from './live.ts';
import { go, place } from './location.ts';
import { overview, routeSections } from './place.ts';
import { nextTheme } from './theme.ts';

export interface Shortcut {
  /** Pressed one after the other. */
  readonly keys: string;
  readonly does: string;
}

export const shortcuts: readonly Shortcut[] = [
  { keys: 'g o', does: 'Overview' },
  { keys: 'g j', does: 'Journal' },
  { keys: 'g p', does: 'Plan' },
  { keys: 'g c', does: 'Check' },
  { keys: 'n', does: 'Next route, in the order of the table' },
  { keys: 'p', does: 'Route before' },
  { keys: '1 … 7', does: 'Parts of a route: overview, tables, parked, jobs, journal, check, schema' },
  { keys: '/', does: 'Filter the routes' },
  { keys: 't', does: 'Colours: as the system, light, dark' },
  { keys: '?', does: 'This list' },
  { keys: 'Esc', does: 'Close a dialog; nothing is done' },
];

/** A `g` counts for this long. */
const chordMs = 1500;

/** Keys for those who live here. Single letters stay out of fields, dialogs and other programs' chords. */
export function useShortcuts(): void {
  useEffect(() => {
    let chordAt = 0;
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('dialog[open]') !== null) return;
      const afterG = performance.now() - chordAt < chordMs;
      chordAt = 0;
      if (afterG && event.key === 'o') go(overview);
      else if (afterG && event.key === 'j') go({ page: 'journal' });
      else if (afterG && event.key === 'p') go({ page: 'plan' });
      else if (afterG && event.key === 'c') go({ page: 'check' });
      else if (event.key === 'g') chordAt = performance.now();
      else if (event.key === 'n') step(1);
      else if (event.key === 'p') step(-1);
      else if (/^[1-7]$/.test(event.key)) section(Number(event.key));
      else if (event.key === 't') nextTheme();
      else if (event.key === '?') helpIsOpen.value = true;
      else if (event.key === '/') {
        const filter = document.getElementById('filter');
        if (filter === null) return;
        filter.focus();
        event.preventDefault();
      }
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

function step(by: 1 | -1): void {
  const routes = (liveStatus.value?.routes ?? []).toSorted(bySeverity);
  const here = place.value;
  const at = here.page === 'route' ? routes.findIndex(({ name }) => name === here.route) : by === 1 ? -1 : 0;
  const next = routes.at((at + by + routes.length) % Math.max(1, routes.length));
  if (next !== undefined)
    go({ page: 'route', route: next.name, section: here.page === 'route' ? here.section : 'overview' });
}

function section(number: number): void {
  const here = place.value;
  const chosen = routeSections[number - 1];
  if (here.page === 'route' && chosen !== undefined) go({ page: 'route', route: here.route, section: chosen });
}
