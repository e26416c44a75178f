import { signal } from '@preact/signals';

export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly kind: 'done' | 'warning';
}

/** Read out by screen readers, and seen by nobody. */
export const announcement = signal('');
/** Shown for some seconds in a corner, and read out. */
export const notices = signal<readonly Notice[]>([]);

const shownMs = 12_000;
let lastId = 0;

export function announce(text: string): void {
  announcement.value = text;
}

export function notify(text: string, kind: Notice['kind'] = 'done'): void {
  const id = ++lastId;
  notices.value = [...notices.value, { id, text, kind }];
  setTimeout(() => dismiss(id), shownMs);
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}
