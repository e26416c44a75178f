import type { ComponentChildren } from 'preact';

export interface ScrollAreaProps {
  /** What is scrolled, for those who hear it. */
  readonly label: string;
  readonly class?: string;
  readonly children: ComponentChildren;
}

/** What may be wider than the screen; reached and scrolled with the keyboard. */
export function ScrollArea({ label, class: name = '', children }: ScrollAreaProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for inputs.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard.
    <div class={`scroll ${name}`} role="group" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}
