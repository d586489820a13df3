import type { HttpClient } from './http-client.ts';

/** The server that is examined. */
export interface ServerUnderTest {
  readonly http: HttpClient;
  /** What its metadata advertises; empty when that cannot be read. */
  readonly extensions: ReadonlySet<string>;
  /** Whether the checks may unload and load models. */
  readonly mayControl: boolean;
}
