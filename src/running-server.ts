import type { FastifyInstance } from 'fastify';

/** A server that listens. */
export interface RunningServer {
  readonly app: FastifyInstance;
  /** Base URL of the server. */
  readonly address: string;
  /** Port of gRPC; undefined when it is off. */
  readonly grpcPort: number | undefined;
  /** Settles when every model of the repository has been loaded, or has failed to. */
  readonly loaded: Promise<void>;
  /**
   * Ends what still starts, is not ready any more, goes on for `DRAIN_DELAY_MS` if it was ready, refuses new work, answers
   * what is in flight, and ends the runners. Calling it again gives the same promise.
   *
   * @throws AggregateError with the errors of the parts that could not be stopped, after all others have been
   */
  stop(): Promise<void>;
}
