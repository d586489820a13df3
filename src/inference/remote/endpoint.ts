import type { RemoteTransport } from './transport.ts';

export interface EndpointIdentity {
  /** As the file has it. */
  readonly url: string;
  /** Scheme, host and port. */
  readonly name: string;
  readonly transport: RemoteTransport;
}

/** Why a server is not asked: it cannot be reached, or what it has is not the model. */
export interface Down {
  readonly kind: 'unreachable' | 'unfit';
  readonly reason: string;
}

/** One of the servers that have the model. */
export class Endpoint {
  readonly url: string;
  readonly name: string;
  readonly transport: RemoteTransport;
  /** Requests that it has not answered yet. */
  underWay = 0;
  /** Connections that failed in a row. */
  failures = 0;
  /** Looks at it in a row that found it not fit to be asked. */
  looksInVain = 0;
  wasReached = false;
  /** Why it is not asked; undefined while it is. */
  down: Down | undefined;

  constructor({ url, name, transport }: EndpointIdentity) {
    this.url = url;
    this.name = name;
    this.transport = transport;
  }

  get isUp(): boolean {
    return this.down === undefined;
  }
}
