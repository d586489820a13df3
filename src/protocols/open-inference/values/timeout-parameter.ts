/**
 * The deadline that the parameter `timeout` of a request sets, in milliseconds.
 *
 * @param microseconds 0 stands for none, as in Triton
 */
export function timeoutParameterMs(microseconds: number | undefined): number | undefined {
  return microseconds === undefined || microseconds === 0 ? undefined : microseconds / 1000;
}
