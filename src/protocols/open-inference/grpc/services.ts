import type { KeyRing } from '../../../access/key-ring.ts';
import type { CallerLimits } from '../../../limits/caller-limits.ts';
import type { ModelControl } from '../../../models/model-control.ts';
import type { Registry } from '../../../models/registry/registry.ts';
import type { Infer } from '../../../serving/infer.ts';
import type { ReadinessGate } from '../../../serving/readiness.ts';
import type { Statistics } from '../../../serving/statistics.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { Clock } from '../../../timing/clock.ts';
import type { BodyBudget } from '../../../transport/body-budget.ts';

/** Everything that the calls work with. */
export interface GrpcServices {
  readonly registry: Registry;
  readonly control: ModelControl;
  readonly statistics: Statistics;
  readonly infer: Infer;
  readonly readiness: ReadinessGate;
  readonly clock: Clock;
  readonly log: Logger;
  /** Undefined: every caller may do everything. */
  readonly keys: KeyRing | undefined;
  /** Undefined: no caller has a limit. */
  readonly limits: CallerLimits | undefined;
  /** What the bodies of all requests may take. */
  readonly bodies: BodyBudget;
  /** Whether a load may bring its own files. */
  readonly allowModelUpload: boolean;
  /** Version of the program. */
  readonly version: string;
}
