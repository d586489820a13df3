import { randomBytes } from 'node:crypto';

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

/**
 * A new UUID of version 7 (RFC 9562, 5.7): the time in milliseconds, then random bits.
 *
 * @param nowMs milliseconds since 1970
 */
export function newPredictionUuid(nowMs: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

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
