/** The answer of `GET /metrics`, read as Prometheus reads it. */
export interface Scrape {
  readonly contentType: string;
  readonly text: string;
  /** Names of the families with their types. */
  readonly families: ReadonlyMap<string, string>;
  /** Value of the one sample of this name that has these labels, among others; undefined if there is none. */
  value(name: string, labels?: Record<string, string>): number | undefined;
  /** Every sample of this name. */
  samples(name: string): readonly Sample[];
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export async function scrape(address: string, accept = 'text/plain'): Promise<Scrape> {
  const response = await fetch(new URL('/metrics', address), { headers: { accept } });
  if (response.status !== 200) throw new Error(`/metrics answers ${response.status}`);
  const text = await response.text();
  const families = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (name !== undefined && type !== undefined) families.set(name, type);
    else if (line !== '' && !line.startsWith('#')) samples.push(readSample(line));
  }
  const named = (name: string) => samples.filter((sample) => sample.name === name);
  return {
    contentType: response.headers.get('content-type') ?? '',
    text,
    families,
    samples: named,
    value(name, labels = {}) {
      const wanted = Object.entries(labels);
      const found = named(name).filter((sample) => wanted.every(([label, value]) => sample.labels[label] === value));
      if (found.length > 1) throw new Error(`${found.length} samples fit ${name} ${JSON.stringify(labels)}`);
      return found[0]?.value;
    },
  };
}

function readSample(line: string): Sample {
  const [, name, labelText = '', valueText] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  if (name === undefined) throw new Error(`Not a sample: ${line}`);
  const labels = [...labelText.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)].map(([, label, value]) => [
    label,
    value,
  ]);
  const value = valueText === '+Inf' ? Number.POSITIVE_INFINITY : Number(valueText);
  return { name, labels: Object.fromEntries(labels), value };
}
