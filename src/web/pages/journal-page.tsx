import { Panel } from '../components/panel.tsx';
import { JournalPages } from './journal-pages.tsx';

export function JournalPage() {
  return (
    <>
      <h1>Journal</h1>
      <Panel title="Everything that was asked for">
        <JournalPages path="journal" route={null} />
      </Panel>
    </>
  );
}
