import type { DataType } from '../../tensor/data-type.ts';
import type { Signature, TensorSpec } from '../../tensor/tensor.ts';

/** Data types as TensorFlow names them. */
const tensorflowTypes: Readonly<Record<DataType, string>> = {
  BOOL: 'DT_BOOL',
  UINT8: 'DT_UINT8',
  UINT16: 'DT_UINT16',
  UINT32: 'DT_UINT32',
  UINT64: 'DT_UINT64',
  INT8: 'DT_INT8',
  INT16: 'DT_INT16',
  INT32: 'DT_INT32',
  INT64: 'DT_INT64',
  FP16: 'DT_HALF',
  FP32: 'DT_FLOAT',
  FP64: 'DT_DOUBLE',
  BYTES: 'DT_STRING',
};

/**
 * The metadata of a version as TensorFlow Serving gives it.
 *
 * @see https://www.tensorflow.org/tfx/serving/api_rest#model_metadata_api
 */
export function metadataOf(
  { name, version }: { readonly name: string; readonly version: string },
  signature: Signature,
): object {
  const serving = {
    inputs: Object.fromEntries(signature.inputs.map((spec) => [spec.name, tensorInfo(spec)])),
    outputs: Object.fromEntries(signature.outputs.map((spec) => [spec.name, tensorInfo(spec)])),
    method_name: 'tensorflow/serving/predict',
  };
  return {
    model_spec: { name, signature_name: '', version },
    metadata: {
      signature_def: {
        '@type': 'type.googleapis.com/tensorflow.serving.SignatureDefMap',
        signature_def: { serving_default: serving },
      },
    },
  };
}

/** An empty shape is that of a scalar or of an unknown rank, which ONNX Runtime does not tell apart. */
function tensorInfo({ name, datatype, shape }: TensorSpec): object {
  const dim = shape.map((size) => ({ size: String(size), name: '' }));
  return { dtype: tensorflowTypes[datatype], tensor_shape: { dim, unknown_rank: shape.length === 0 }, name };
}
