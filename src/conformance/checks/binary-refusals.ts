import {
  type BinaryRequest,
  binaryRequest,
  encodeBinary,
  type InputObject,
  jsonLengthHeader,
} from '../infer-request.ts';
import { acceptedInputs, sendInfer } from '../model-under-test.ts';
import { NotTried } from '../verdict.ts';
import { needBinary } from './binary-checks.ts';
import type { Refusal } from './refusals.ts';

/** Requests with binary tensors that contradict themselves. */
export const binaryRefusals: readonly Refusal[] = [
  header('header-no-number', 'whose JSON length is no number', () => 'ten'),
  header('header-negative', 'whose JSON length is negative', () => '-1'),
  header('header-beyond-body', 'whose JSON length is beyond its body', (bytes) => String(bytes + 1)),
  header('header-too-short', 'whose JSON is cut by its length', () => '10'),
  body('section-too-short', 'whose last section runs past the end', ({ request, sections }) => ({
    request,
    sections: [Buffer.concat(sections).subarray(1)],
  })),
  body('bytes-left-over', 'with bytes after the last section', ({ request, sections }) => ({
    request,
    sections: [...sections, Buffer.from([0])],
  })),
  size('size-of-another-shape', 'whose section does not fit its shape', (object, bytes) => ({
    object: { ...object, parameters: { binary_data_size: bytes.byteLength + 1 } },
    bytes: Buffer.concat([bytes, Buffer.from([0])]),
  })),
  size('size-negative', 'whose binary_data_size is negative', (object, bytes) => ({
    object: { ...object, parameters: { binary_data_size: -bytes.byteLength } },
    bytes,
  })),
  size('size-no-number', 'whose binary_data_size is a text', (object, bytes) => ({
    object: { ...object, parameters: { binary_data_size: String(bytes.byteLength) } },
    bytes,
  })),
  size('data-and-size', 'with both data and binary_data_size', (object, bytes) => ({
    object: { ...object, data: [0] },
    bytes,
  })),
];

function refusal(id: string, fault: string, send: Refusal['send']): Refusal {
  return {
    id: `refuse.binary-${id}`,
    section: 'Binary Tensor Data Extension',
    level: 'MUST',
    fault,
    send: (model) => {
      needBinary(model);
      return send(model);
    },
  };
}

/** A proper binary request with another length of its JSON. */
function header(id: string, fault: string, lengthOf: (bodyBytes: number) => string): Refusal {
  return refusal(id, fault, (model) => {
    const { headers, body } = encodeBinary(binaryRequest(acceptedInputs(model)));
    return sendInfer(model, { headers: { ...headers, [jsonLengthHeader]: lengthOf(body.byteLength) }, body });
  });
}

/** A proper binary request that was changed. */
function body(id: string, fault: string, change: (request: BinaryRequest) => BinaryRequest): Refusal {
  return refusal(id, fault, (model) => {
    const encoded = binaryRequest(acceptedInputs(model));
    if (encoded.sections.every(({ byteLength }) => byteLength === 0)) throw new NotTried('the inputs are empty');
    return sendInfer(model, encodeBinary(change(encoded)));
  });
}

type ChangeSection = (object: InputObject, bytes: Uint8Array) => { object: InputObject; bytes: Uint8Array };

/** A proper binary request whose first input was changed. */
function size(id: string, fault: string, change: ChangeSection): Refusal {
  return body(id, fault, ({ request, sections }) => {
    const [object, ...inputs] = request.inputs;
    const [bytes, ...others] = sections;
    if (object === undefined || bytes === undefined) throw new NotTried('the model has no input');
    const changed = change(object, bytes);
    return { request: { inputs: [changed.object, ...inputs] }, sections: [changed.bytes, ...others] };
  });
}
