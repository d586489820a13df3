import { textTable } from '../text-table.ts';
import type { Document, TrafficEvent, TrafficState } from './traffic-server.ts';

/** What holds now, and the last changes, for people. */
export function trafficText(model: string, state: TrafficState, events: readonly TrafficEvent[]): string {
  return [headOf(model, state), weights(state.traffic), history(events)].filter((part) => part !== '').join('\n');
}

function headOf(model: string, { source, changed_at, changed_by }: TrafficState): string {
  if (source === 'none') return `${model}: not split, the highest version answers that can\n`;
  if (source === 'model.json') return `${model}: split by model.json\n`;
  const by = changed_by == null ? '' : ` by ${changed_by.name}`;
  return `${model}: split as stored at ${changed_at}${by}\n`;
}

function weights(traffic: Document | undefined): string {
  if (traffic === undefined) return '';
  const { split, stick } = traffic;
  const total = Object.values(split).reduce((sum, weight) => sum + weight, 0);
  const rows = Object.entries(split).map(([version, weight]) => [version, String(weight), percent(weight / total)]);
  return `${textTable([['VERSION', 'WEIGHT', 'SHARE'], ...rows])}A client keeps to its version by ${stick.join(', ')}\n`;
}

function history(events: readonly TrafficEvent[]): string {
  if (events.length === 0) return '';
  const rows = events.map(({ at, who, from, to, why }) => [
    at,
    who?.name ?? '-',
    splitText(from),
    splitText(to),
    why ?? '',
  ]);
  return textTable([['CHANGED', 'BY', 'FROM', 'TO', 'WHY'], ...rows]);
}

function splitText(document: Document | null): string {
  if (document === null) return '-';
  return Object.entries(document.split)
    .map(([version, weight]) => `${version}=${weight}`)
    .join(',');
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
