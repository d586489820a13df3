import { workloadNames } from '../options.ts';
import { type Results, subjectsOf, summarise } from './results.ts';
import { judge } from './targets.ts';

/** The whole report as text: machine, closed loop, other figures, targets, problems. */
export function terminalReport(results: Results): string {
  const sections = [machine(results), closedLoop(results), figures(results), targets(results), remarks(results)];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

/** Columns padded to their widest cell: the first to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [...lines.slice(0, 1), rule, ...lines.slice(1)].join('\n');
}

/** Three or four digits that say something, whatever the size. */
export function compact(value: number): string {
  if (Number.isNaN(value)) return '–';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en');
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function machine({ machine, options }: Results): string {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}`,
    versions.join(', '),
    `${options.rounds} rounds of ${options.seconds} s after ${options.warmupSeconds} s of warm-up; closed loop by wrk,` +
      ` ${options.connections} connections; load average before the run ${machine.loadBefore.toFixed(2)}`,
  ].join('\n');
}

function closedLoop(results: Results): string {
  const rows = workloadNames.flatMap((workload) => {
    const inferd = summarise(results, workload, 'inferd')?.requestsPerSecond;
    return subjectsOf(results, workload).flatMap((subject) => {
      const summary = summarise(results, workload, subject);
      if (summary === undefined) return [];
      const ratio = inferd === undefined ? Number.NaN : inferd / summary.requestsPerSecond;
      return [
        [
          `${workload} · ${subject}`,
          compact(summary.requestsPerSecond),
          compact(summary.p50Ms),
          compact(summary.p99Ms),
          compact(summary.failed),
          compact(ratio),
        ],
      ];
    });
  });
  if (rows.length === 0) return '';
  return table([['closed loop, medians', 'requests/s', 'p50 ms', 'p99 ms', 'failed', 'inferd ÷ it'], ...rows]);
}

function figures(results: Results): string {
  const names = [...new Set(results.figures.map((figure) => figure.name))];
  if (names.length === 0) return '';
  const rows = names.map((name) => {
    const values = results.figures.filter((figure) => figure.name === name).map((figure) => figure.value);
    const sorted = values.toSorted((a, b) => a - b);
    const middle = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
    return [name, compact(sorted[0] ?? Number.NaN), compact(middle), compact(sorted.at(-1) ?? Number.NaN)];
  });
  return table([['other figures of inferd', 'least', 'median', 'most'], ...rows]);
}

function targets(results: Results): string {
  const rows = judge(results).map(({ label, must, measured, unit, verdict }) => [
    label,
    must,
    measured === undefined ? '–' : `${compact(measured)} ${unit}`.trim(),
    verdict,
  ]);
  return table([['same machine, same run', 'must show', 'measured', ''], ...rows]);
}

function remarks({ entrants, problems }: Results): string {
  const leftOut = entrants.flatMap(({ name, leftOut }) =>
    leftOut === undefined ? [] : [`left out: ${name}, ${leftOut}`],
  );
  return [...leftOut, ...problems.map((problem) => `problem: ${problem}`)].join('\n');
}
