import type { StepReport } from '../../predictor.ts';
import type { TraceContext } from '../../trace-context.ts';

/** What happens while graphs run, for metrics. */
export interface GraphEvents {
  /** A request of so many rows was answered. */
  onAnswer?(rows: number, ms: number): void;
  /** A step has ended just now. */
  onStep?(report: StepReport, trace: TraceContext | undefined): void;
  /** A switch has sent so many rows to an arm: its index, or `otherwise`. */
  onRoute?(step: string, arm: string, rows: number): void;
  /** A rule could not be decided and counted as false. */
  onRuleError?(step: string, arm: string): void;
}
