import type { FindingDocument } from '../api/documents.ts';
import { ToneSign } from './badge.tsx';
import { CopyButton } from './copy-button.tsx';
import type { Tone } from './tone.ts';

const toneOf: Readonly<Record<string, Tone>> = { error: 'critical', warning: 'warning', info: 'info' };

/** What a preflight says of a node, with the statement that mends it. */
export function FindingItem({ level, code, node, message, remedy, statement }: FindingDocument) {
  const tone = toneOf[level] ?? 'unknown';
  return (
    <li class={`notice tone-${tone}`}>
      <ToneSign tone={tone} />
      <div>
        <p>
          <span class="muted">
            {level}
            {node !== undefined && ` at ${node}`}
          </span>{' '}
          <code>{code}</code> {message}
        </p>
        {remedy !== '' && <p class="muted">{remedy}</p>}
        {statement !== undefined && (
          <div class="statement">
            <pre>
              <code>{statement}</code>
            </pre>
            <CopyButton text={statement} what="statement" />
          </div>
        )}
      </div>
    </li>
  );
}
