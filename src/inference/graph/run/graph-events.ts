import type { StepReport } from '../../predictor.ts';

/** What happens while graphs run, for metrics. */
export interface GraphEvents {
  onStep?(report: StepReport): void;
  /** A switch has sent so many rows to an arm: its index, or `otherwise`. */
  onRoute?(step: string, arm: string, rows: number): void;
  /** A rule could not be decided and counted as false. */
  onRuleError?(step: string, arm: string): void;
}
