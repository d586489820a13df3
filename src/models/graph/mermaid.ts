import type { BoundStep } from '../assembled.ts';

/** The graph as a flow chart of Mermaid, which GitHub and many editors draw. */
export function mermaidOf(steps: readonly BoundStep[], outputs: Readonly<Record<string, string>>): string {
  const nodes = steps.map((step) => `  ${step.name}${shapeOf(step)}`);
  const edges = steps.flatMap(({ name, needs }) => needs.map((need) => `  ${need} --> ${name}`));
  const ends = Object.entries(outputs).map(
    ([output, source]) => `  ${source.split('.', 1)[0]} -->|${quote(output)}| output`,
  );
  return ['flowchart LR', '  input([input])', ...nodes, '  output([output])', ...edges, ...ends, ''].join('\n');
}

function shapeOf({ name, kind, members }: BoundStep): string {
  const models = members.map((member) => `${member.name} ${member.version}`).join(', ');
  const label = quote(models === '' ? name : `${name}: ${models}`);
  if (kind === 'switch') return `{${label}}`;
  return kind === 'combine' ? `[/${label}/]` : `[${label}]`;
}

/** Mermaid reads names of characters; the one that ends a label is written as an entity. */
function quote(text: string): string {
  return `"${text.replaceAll('"', '#quot;')}"`;
}
