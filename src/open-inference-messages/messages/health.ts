import { enumeration, string } from '../protobuf/field.ts';
import { message } from '../protobuf/message.ts';

/** `HealthCheckResponse.ServingStatus`. */
export const servingStatus = { unknown: 0, serving: 1, notServing: 2, serviceUnknown: 3 } as const;

export type ServingStatus = (typeof servingStatus)[keyof typeof servingStatus];

/** `HealthCheckRequest` of `grpc.health.v1`. */
export const healthCheckRequest = message({ service: string(1) });

export const healthCheckResponse = message({ status: enumeration<ServingStatus>(1, [0, 1, 2, 3]) });
