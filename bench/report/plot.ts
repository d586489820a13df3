import { workloadNames } from '../options.ts';
import { type Results, subjectsOf, summarise } from './results.ts';
import { compact } from './terminal.ts';

const width = 760;
const labelWidth = 220;
const valueWidth = 90;
const rowHeight = 22;
const titleHeight = 34;
const margin = 16;

interface Bar {
  readonly label: string;
  readonly value: number;
}

interface Panel {
  readonly title: string;
  readonly bars: readonly Bar[];
}

/** Requests per second of every subject, a panel for each workload, as an SVG document. */
export function plot(results: Results): string {
  const panels = workloadNames.flatMap((workload): Panel[] => {
    const bars = subjectsOf(results, workload).map((subject) => ({
      label: subject,
      value: summarise(results, workload, subject)?.requestsPerSecond ?? 0,
    }));
    const title = `${workload}: requests per second, median of the rounds`;
    return bars.length === 0 ? [] : [{ title, bars: bars.toSorted((a, b) => b.value - a.value) }];
  });

  let top = margin;
  const drawn = panels.map((panel) => {
    const svg = `<g transform="translate(0 ${top})">${drawPanel(panel)}</g>`;
    top += titleHeight + panel.bars.length * rowHeight + margin;
    return svg;
  });
  const footer = `${results.machine.cpu}, ${results.machine.cores} cores`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top + 24}" viewBox="0 0 ${width} ${top + 24}"`,
    ' font-family="system-ui, sans-serif" font-size="13">',
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    ...drawn,
    `<text x="${margin}" y="${top + 8}" fill="#6b7280" font-size="11">${escapeXml(footer)}</text>`,
    '</svg>\n',
  ].join('\n');
}

function drawPanel({ title, bars }: Panel): string {
  const longest = Math.max(...bars.map((bar) => bar.value), 1);
  const scale = (width - labelWidth - valueWidth - 2 * margin) / longest;
  const rows = bars.map(({ label, value }, index) => {
    const y = titleHeight + index * rowHeight;
    const barWidth = Math.max(1, value * scale).toFixed(1);
    const fill = label === 'inferd' ? '#2563eb' : '#cbd5e1';
    return [
      `<text x="${labelWidth}" y="${y + 12}" text-anchor="end" fill="#111827">${escapeXml(label)}</text>`,
      `<rect x="${labelWidth + 10}" y="${y}" width="${barWidth}" height="${rowHeight - 6}" rx="2" fill="${fill}"/>`,
      `<text x="${labelWidth + 16 + Number(barWidth)}" y="${y + 12}" fill="#374151">${compact(value)}</text>`,
    ].join('');
  });
  return `<text x="${margin}" y="18" font-weight="600" fill="#111827">${escapeXml(title)}</text>${rows.join('\n')}`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
