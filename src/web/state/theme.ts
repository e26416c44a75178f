import { effect, signal } from '@preact/signals';

export type ThemeChoice = 'system' | 'light' | 'dark';

const storedAt = 'tidelock.theme';
const dark = window.matchMedia('(prefers-color-scheme: dark)');

/** What the reader has chosen; it outlives the tab, since it tells nothing about anybody. */
export const themeChoice = signal<ThemeChoice>(storedChoice());
/** What is shown. Charts are drawn anew when it changes: a canvas knows no style sheet. */
export const theme = signal<'light' | 'dark'>('light');

dark.addEventListener('change', show);
effect(show);

export function nextTheme(): void {
  const order: readonly ThemeChoice[] = ['system', 'light', 'dark'];
  themeChoice.value = order[(order.indexOf(themeChoice.value) + 1) % order.length] ?? 'system';
  localStorage.setItem(storedAt, themeChoice.value);
}

function show(): void {
  const shown = themeChoice.value === 'system' ? (dark.matches ? 'dark' : 'light') : themeChoice.value;
  document.documentElement.dataset.theme = shown;
  theme.value = shown;
}

function storedChoice(): ThemeChoice {
  const stored = localStorage.getItem(storedAt);
  return stored === 'light' || stored === 'dark' ? stored : 'system';
}
