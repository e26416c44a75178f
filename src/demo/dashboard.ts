import { chart, usualTop } from './chart.ts';
import type { DemoEvent, DemoState } from './demo-state.ts';
import { timedLine } from './plain-lines.ts';
import type { Line } from './screen.ts';
import { amount, milliseconds, number, seconds } from './texts.ts';

const eventStyle = { plain: 'plain', good: 'green', bad: 'red' } as const;

/** One frame for a terminal of this size: less of the chart and of the events where it is small. */
export function dashboard(state: DemoState, size: { readonly columns: number; readonly rows: number }): Line[] {
  const width = Math.min(size.columns, 120) - 1;
  const head = [...title(state, width), ...figures(state, width), []];
  const eventLines = Math.min(Math.max(size.rows - head.length - 9, 4), 9);
  const chartHeight = Math.max(Math.min(Math.floor((size.rows - head.length - eventLines - 3) / 2), 5), 1);
  return [
    ...head,
    ...charts(state, width, chartHeight),
    [],
    ...state.events.slice(-eventLines).map((event) => eventLine(event)),
  ];
}

function title(state: DemoState, width: number): Line[] {
  const time = `${seconds(Math.min(state.clockMs ?? 0, state.seconds * 1_000), 0)} of ${state.seconds} s`;
  const name = ' Tidelock demo';
  const ports = state.ports
    ? `  ${state.vendors.source} :${state.ports.source} → ${state.vendors.target} :${state.ports.target}`
    : '';
  const middle = ports.length + name.length + time.length + 2 > width ? '' : ports;
  const gap = ' '.repeat(Math.max(width - name.length - middle.length - time.length, 1));
  return [
    [{ text: name, as: 'bold' }, { text: middle, as: 'dim' }, gap, time],
    [{ text: ` ${'─'.repeat(width - 1)}`, as: 'dim' }],
  ];
}

function figures(state: DemoState, width: number): Line[] {
  const { workload, engine } = state;
  const wide = width >= 75;
  const good = state.phase === 'running' || state.phase === 'comparing';
  const status = engine === null ? '' : `  route ${engine.state}${engine.reason ? `: ${engine.reason}` : ''}`;
  const rate = (which: 'written' | 'arrived'): string => number(state.rate(which, 1_500)).padStart(7);
  const rows = wide ? `   ${number(workload.rows)} rows by ${state.clients} clients` : '';
  const lag = state.lagMs === null ? '–' : milliseconds(state.lagMs);
  const sum = state.bankTotal === null ? 'not there yet' : amount(state.bankTotal);
  const checks = wide ? `${number(state.bankChecks)} reads in between` : `${number(state.bankChecks)} reads`;
  return [
    [' state     ', { text: state.phase, as: good ? 'green' : 'yellow' }, { text: status, as: 'dim' }],
    [
      { text: ' source    ', as: 'cyan' },
      `${rate('written')}/s`,
      { text: ` ${number(workload.transactions).padStart(9)} transactions written${rows}`, as: 'dim' },
    ],
    [
      { text: ' target    ', as: 'green' },
      `${rate('arrived')}/s`,
      { text: ` ${number(state.arrived).padStart(9)} transactions arrived`, as: 'dim' },
    ],
    [' lag       ', lag.padStart(9), { text: `   highest ${milliseconds(state.highestLagMs)}`, as: 'dim' }],
    [
      ' bank      ',
      { text: sum, as: state.bankViolations > 0 ? 'red' : 'plain' },
      state.bankViolations > 0
        ? { text: `   wrong in ${state.bankViolations} of ${checks}`, as: 'red' }
        : { text: `   at the target${state.bankChecks === 0 ? '' : `, right in all of ${checks}`}`, as: 'dim' },
    ],
  ];
}

function charts(state: DemoState, width: number, height: number): Line[] {
  const left = 11;
  const top = usualTop([...state.writtenRates.slice(-width * 2), ...state.arrivedRates.slice(-width * 2)]);
  const one = (name: string, values: readonly number[], as: 'cyan' | 'green'): Line[] =>
    chart(values, { width: width - left, height, top }).map((text, index) => [
      { text: (index === 0 ? ` ${name}` : index === 1 ? ` ${number(top)}/s` : '').padEnd(left), as: 'dim' },
      { text, as },
    ]);
  return [...one('source', state.writtenRates, 'cyan'), ...one('target', state.arrivedRates, 'green')];
}

function eventLine(event: DemoEvent): Line {
  return [
    { text: ` ${timedLine(event.atMs, '')}`, as: 'dim' },
    { text: event.text, as: eventStyle[event.kind] },
  ];
}
