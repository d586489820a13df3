/**
 * What names a prediction: the instances of one request share a UUID. Its text is the UUID for the first instance, and
 * the UUID, a point and the index for the others.
 */
export interface PredictionId {
  /** UUID of version 7, so that ids sort by time and the partition of a prediction follows from its id. */
  readonly uuid: string;
  /** Index of the instance in its request. */
  readonly instance: number;
}

const uuidV7 = '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';

/** The text of an id, for schemas. */
export const predictionIdPattern: RegExp = new RegExp(`^${uuidV7}(\\.[1-9]\\d{0,6})?$`);

/** When the prediction was made, in milliseconds since 1970. */
export function timeOfUuid(uuid: string): number {
  return Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
}

export function formatPredictionId({ uuid, instance }: PredictionId): string {
  return instance === 0 ? uuid : `${uuid}.${instance}`;
}

/** Reads what {@link formatPredictionId} writes; undefined if it is something else. */
export function parsePredictionId(text: string): PredictionId | undefined {
  if (!predictionIdPattern.test(text)) return undefined;
  const [uuid = '', instance = '0'] = text.split('.');
  return { uuid, instance: Number(instance) };
}

/** The id of a stored prediction as clients know it. */
export function idOf({ id, instance }: { readonly id: string; readonly instance: number }): string {
  return formatPredictionId({ uuid: id, instance });
}

/** The id of the prediction that a stored shadow is one of; null for what is none. */
export function shadowedId({
  of_id,
  of_instance,
}: {
  readonly of_id: string | null;
  readonly of_instance: number | null;
}): string | null {
  return of_id === null ? null : formatPredictionId({ uuid: of_id, instance: of_instance ?? 0 });
}
