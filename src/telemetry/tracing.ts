/** The place of a request in a trace, as the headers `traceparent` and `tracestate` of W3C Trace Context carry it. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** A request when its first byte has come. */
export interface TracedRequest {
  readonly method: string;
  /** Template of the route; undefined for a path that no route has. */
  readonly route: string | undefined;
  readonly path: string;
  /** Without the question mark; empty if there is none. */
  readonly query: string;
  readonly scheme: string;
  readonly protocolVersion: string;
  readonly clientAddress: string | undefined;
  readonly clientPort: number | undefined;
  readonly userAgent: string | undefined;
  /** The trace that the client has begun. */
  readonly parent: TraceContext | undefined;
}

/** The span of a request that is being answered. */
export interface RequestSpan {
  /** What to hand on to the programs that work for this request. */
  readonly context: TraceContext;
  end(answer: { status: number | undefined; model?: string | undefined; version?: string | undefined }): void;
}

/** A run of a model that has ended. */
export interface TracedRun {
  readonly model: string;
  readonly version: string;
  readonly rows: number;
  readonly requests: number;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  readonly runMs: number;
  /** The requests that shared the run. */
  readonly traces: readonly TraceContext[];
}

/** A step of a graph that has ended. */
export interface TracedStep {
  readonly graph: string;
  readonly name: string;
  /** The model that answered, or was to answer; undefined for a step that runs none. */
  readonly model?: string | undefined;
  readonly version?: string | undefined;
  readonly arm?: string | undefined;
  readonly outcome: string;
  /** Milliseconds since 1970. */
  readonly endedMs: number;
  readonly ms: number;
  /** The request that it belongs to. */
  readonly trace: TraceContext;
}

/** Where traces go. */
export interface Tracing {
  startRequest(request: TracedRequest): RequestSpan;
  recordRun(run: TracedRun): void;
  recordStep(step: TracedStep): void;
}
