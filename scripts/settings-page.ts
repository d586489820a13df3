import { documentedSettings } from './documented-settings.ts';

/** A group takes the settings whose names begin so, and that no group before it has taken. */
const groups: readonly { readonly title: string; readonly names: RegExp }[] = [
  { title: 'Models', names: /^(MODEL|WATCH_|ALLOW_|DEFAULT_MODEL|AWS_)/ },
  { title: 'Keys and callers', names: /^(API_KEYS|DOCS_PUBLIC|RATE_LIMIT|MAX_CONCURRENT|REDIS_URL|TRUST_PROXY|CORS)/ },
  { title: 'Prediction log', names: /^PREDICTIONS/ },
  { title: 'Storage and background tasks', names: /^(STORAGE|DATABASE_|DATA_DIR|TASK_|WEBHOOK_)/ },
  { title: 'Logs, metrics and traces', names: /^(LOG_|METRICS|TRITON_|OTEL_)/ },
  { title: 'Limits and times', names: /(_BYTES|_RATIO_LIMIT|_CELLS|_MS|MAX_CONNECTIONS|_STREAMS)$/ },
  { title: 'Addresses and TLS', names: /./ },
];

/** `docs/settings.md`: every environment variable with its default and meaning, by what it is about. */
export function settingsPage(): string {
  const tables = new Map(groups.map(({ title }) => [title, [] as string[]]));
  for (const { name, description, defaultText } of documentedSettings()) {
    const title = groups.find(({ names }) => names.test(name))?.title ?? '';
    const value = defaultText === '' ? '' : `\`${defaultText}\``;
    tables.get(title)?.push(`| \`${name}\` | ${value} | ${description.replaceAll('|', '\\|')} |`);
  }
  const sections = [...tables].map(
    ([title, rows]) => `## ${title}\n\n| name | default | meaning |\n| --- | --- | --- |\n${rows.join('\n')}\n`,
  );
  return `# Settings

Environment variables, or a file \`.env\` ([.env.example](../.env.example)). A bad value stops the start, and every problem is
named at once. \`npm run gen\` writes this page from the source.

${sections.join('\n')}`;
}
