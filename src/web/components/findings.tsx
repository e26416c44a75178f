import type { FindingDocument } from '../api/documents.ts';
import { FindingItem } from './finding-item.tsx';

const order = ['error', 'warning', 'info'];

/** What a check has found, the worst first; `fine` where it has found nothing. */
export function Findings({ findings, fine }: { readonly findings: readonly FindingDocument[]; readonly fine: string }) {
  if (findings.length === 0) return fine === '' ? null : <p class="empty">{fine}</p>;
  return (
    <ul class="findings">
      {findings
        .toSorted((a, b) => order.indexOf(a.level) - order.indexOf(b.level))
        .map((finding) => (
          <FindingItem key={`${finding.node ?? ''} ${finding.code} ${finding.message}`} {...finding} />
        ))}
    </ul>
  );
}
