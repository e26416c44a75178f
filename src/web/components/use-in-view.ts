import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** What was opened by a row of a long list stands below the list: brings it to where the reader looks, once it is there. */
export function useInView<E extends HTMLElement>(isThere: boolean): RefObject<E | null> {
  const element = useRef<E>(null);
  useEffect(() => {
    if (isThere) element.current?.scrollIntoView({ block: 'nearest' });
  }, [isThere]);
  return element;
}
