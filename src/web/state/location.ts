import { signal } from '@preact/signals';
import { hrefOf, type Place, placeOf } from './place.ts';

/** Where the reader is: the part of the address behind #, which is never sent anywhere. */
export const place = signal<Place>(placeOf(window.location.hash));

window.addEventListener('hashchange', () => {
  place.value = placeOf(window.location.hash);
});

export function go(to: Place): void {
  window.location.hash = hrefOf(to);
}

/** As `go`, without a step to go back by. */
export function correct(to: Place): void {
  // At once: a field that shows a part of the address would else be set back by whatever is drawn before the browser tells.
  place.value = placeOf(hrefOf(to));
  window.location.replace(hrefOf(to));
}
