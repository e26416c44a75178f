import { Panel } from '../components/panel.tsx';
import { JournalPages } from './journal-pages.tsx';

export function RouteJournal({ route }: { readonly route: string }) {
  return (
    <Panel title="Journal">
      <JournalPages path={`routes/${encodeURIComponent(route)}/journal`} route={route} />
    </Panel>
  );
}
