/** The sum of all series of a metric. */
export async function sumOf(address: string, metric: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', address))).text();
  const values = text
    .split('\n')
    .filter((line) => line.startsWith(metric) && /^[{ ]/.test(line.slice(metric.length)))
    .map((line) => Number(line.slice(line.lastIndexOf(' '))));
  return values.reduce((sum, value) => sum + value, 0);
}
