/** A tensor of a step, or of the request where the step is `input`. */
export interface TensorSource {
  readonly step: string;
  readonly tensor: string;
}
