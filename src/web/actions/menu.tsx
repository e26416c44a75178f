import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** Buttons behind a button. Closed by a choice, by Escape, and by going elsewhere. */
export function Menu({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event) => {
      const { current } = menu;
      if (current === null || !current.open) return;
      if (event instanceof KeyboardEvent) {
        if (event.key !== 'Escape') return;
        current.querySelector('summary')?.focus();
      } else if (event.type !== 'click' && current.contains(event.target as Node)) return;
      else if (event.type === 'click' && current.querySelector('summary')?.contains(event.target as Node)) return;
      current.open = false;
    };
    const events = ['click', 'focusin', 'keydown'];
    for (const event of events) document.addEventListener(event, close);
    return () => {
      for (const event of events) document.removeEventListener(event, close);
    };
  }, []);
  return (
    <details class="menu" ref={menu}>
      <summary>{title}</summary>
      <div>{children}</div>
    </details>
  );
}
