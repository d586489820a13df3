import { bytes, int64, repeated, string, uint32 } from '../protobuf/field.ts';
import { embedded, message } from '../protobuf/message.ts';

const duration = message({ seconds: int64(1) });
const retryInfo = message({ retryDelay: embedded(1, duration) });
const any = message({ typeUrl: string(1), value: bytes(2) });
const rpcStatus = message({ code: uint32(1), message: string(2), details: repeated(embedded(3, any)) });

/**
 * A `google.rpc.Status` that says when to try again, for the metadata `grpc-status-details-bin`.
 *
 * @see https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto (RetryInfo)
 */
export function retryStatus(code: number, text: string, retryAfterSeconds: number): Buffer {
  const delay = { seconds: BigInt(Math.ceil(retryAfterSeconds)) };
  const value = retryInfo.encode({ retryDelay: delay });
  return rpcStatus.encode({
    code,
    message: text,
    details: [{ typeUrl: 'type.googleapis.com/google.rpc.RetryInfo', value }],
  });
}
