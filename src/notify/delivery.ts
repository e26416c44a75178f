/** How an attempt to tell somebody has ended. `why` is logged: a number or a code, never an address. */
export type Delivery = { readonly ok: true } | { readonly ok: false; readonly again: boolean; readonly why: string };
