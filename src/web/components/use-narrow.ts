import { useEffect, useState } from 'preact/hooks';

const query = window.matchMedia('(max-width: 720px)');

/** Whether the screen is a phone's. */
export function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(query.matches);
  useEffect(() => {
    const changed = () => setNarrow(query.matches);
    query.addEventListener('change', changed);
    return () => query.removeEventListener('change', changed);
  }, []);
  return narrow;
}
