import type { HttpRequest } from '../load/http-request.ts';
import type { Workload } from '../workloads.ts';

/** A row as a request of the Open Inference Protocol, the tensor in JSON. */
export function openInferenceJson({ name, inputName, rowShape }: Workload, row: Float32Array): HttpRequest {
  const data = [...row].map((value) => Number(value.toPrecision(6)));
  const body = { inputs: [{ name: inputName, shape: [1, ...rowShape], datatype: 'FP32', data }] };
  return {
    method: 'POST',
    path: `/v2/models/${name}/infer`,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(body)),
  };
}

/** A row as a request of the Open Inference Protocol, the tensor as bytes after the JSON (binary data extension). */
export function openInferenceBinary({ name, inputName, rowShape }: Workload, row: Float32Array): HttpRequest {
  const header = Buffer.from(
    JSON.stringify({
      inputs: [
        {
          name: inputName,
          shape: [1, ...rowShape],
          datatype: 'FP32',
          parameters: { binary_data_size: row.byteLength },
        },
      ],
      parameters: { binary_data_output: true },
    }),
  );
  return {
    method: 'POST',
    path: `/v2/models/${name}/infer`,
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(header.length),
    },
    body: Buffer.concat([header, Buffer.from(row.buffer, row.byteOffset, row.byteLength)]),
  };
}
