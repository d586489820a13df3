import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';

/** What a route wants to have done later. */
export interface TaskOrder {
  /** Name of the work that does it. */
  readonly work: string;
  readonly model: string;
  /** What the work needs to know; anything that can be cloned. */
  readonly input: unknown;
  /** How many instances it is about. */
  readonly instances: number;
}

/** Takes orders for the routes that have a background form; the slice of tasks stands behind it. */
export interface TaskDesk {
  /** The options that every such route takes. */
  readonly query: z.ZodObject<Record<never, z.ZodType>>;
  readonly headers: z.ZodType;
  /** The answers that every such route can give. */
  readonly responses: Readonly<Record<number, unknown>>;
  /**
   * Keeps the order and answers 202 with where to look for it.
   *
   * @param options the validated query
   * @throws AppError `STORAGE_UNAVAILABLE`, `STORAGE_FULL`, `IDEMPOTENCY_CONFLICT`, `MALFORMED_HEADER`
   */
  accept(request: FastifyRequest, reply: FastifyReply, order: TaskOrder): Promise<unknown>;
}
