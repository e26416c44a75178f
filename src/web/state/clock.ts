import { signal } from '@preact/signals';

/** Milliseconds since 1970, about: for ages and countdowns that are read by people. */
export const now = signal(Date.now());

setInterval(() => {
  now.value = Date.now();
}, 1000);
