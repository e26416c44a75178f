import type { ComponentChildren } from 'preact';
import { ToneSign } from './badge.tsx';
import type { Tone } from './tone.ts';

export interface TileProps {
  readonly title: string;
  readonly value: ComponentChildren;
  readonly note?: ComponentChildren;
  readonly tone?: Tone;
}

/** One number that is looked at first. */
export function Tile({ title, value, note, tone }: TileProps) {
  return (
    <dl class="tile">
      <dt>{title}</dt>
      <dd>
        <span class={`tile-value ${tone === 'warning' || tone === 'critical' ? `tone-text-${tone}` : ''}`}>
          {(tone === 'warning' || tone === 'critical') && <ToneSign tone={tone} />}
          {value}
        </span>
        <span class="tile-note">{note}</span>
      </dd>
    </dl>
  );
}
