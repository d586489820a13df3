import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

const deployDir = new URL('../../deploy/', import.meta.url);

export const alertsPath = new URL('prometheus/alerts.yaml', deployDir).pathname;

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

export interface NamedQuery {
  readonly name: string;
  readonly query: string;
}

export function readDashboard(): Dashboard {
  return JSON.parse(readFileSync(new URL('grafana/dashboards/inferd.json', deployDir), 'utf8'));
}

/** What every panel asks, for all instances and models, over as long as the test has run. */
export function panelQueries(): NamedQuery[] {
  return readDashboard().panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }, index) => ({
      name: `${title} ${index + 1}`,
      query: expr.replaceAll(/\$(instance|model)\b/g, '.*').replaceAll('$__rate_interval', '30s'),
    })),
  );
}

/** What every alert compares, without the comparison: it must be there also while nothing is wrong. */
export function alertQueries(): NamedQuery[] {
  const { groups } = parse(readFileSync(alertsPath, 'utf8')) as {
    groups: { rules: { alert: string; expr: string }[] }[];
  };
  return groups
    .flatMap((group) => group.rules)
    .map(({ alert, expr }) => {
      const [, query] = /^(.*) (?:>|<|==) [0-9.e]+$/s.exec(expr) ?? [];
      if (query === undefined) throw new Error(`${alert} ends in no comparison with a number: ${expr}`);
      return { name: alert, query };
    });
}

/** Names of series in a query: words that are followed by a selector, a range or the end of an argument. */
export function seriesNames(query: string): string[] {
  const withoutStrings = query.replaceAll(/"[^"]*"/g, '""');
  return [...withoutStrings.matchAll(/\b(?:inferd|http_server|nodejs|process)_[a-z0-9_]+/g)].map(([name]) => name);
}
