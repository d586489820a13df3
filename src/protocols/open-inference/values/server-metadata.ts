/** The extensions of the protocol that are there, by the names of Triton. */
const extensions: readonly string[] = [
  'binary_tensor_data',
  'classification',
  'model_configuration',
  'model_repository',
  'parameters',
  'schedule_policy',
  'statistics',
];

/** What the server says of itself. */
export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

/** @param version of the program */
export function serverMetadata(version: string): ServerMetadata {
  return { name: 'inferd', version, extensions };
}
