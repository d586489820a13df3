import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { datatypeOf } from '../../src/inference/runner/messages.ts';
import type { Tensor, Tensors } from '../../src/tensor/tensor.ts';

/** A session of ONNX Runtime with nothing around it. */
export class Bare {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  static async open(path: string, intraOpNumThreads: number): Promise<Bare> {
    return new Bare(await InferenceSession.create(path, { intraOpNumThreads, logSeverityLevel: 4 }));
  }

  /** The outputs that are tensors, by name. */
  async run(inputs: Tensors): Promise<Tensors> {
    const types = new Map(this.#session.inputMetadata.map((input) => [input.name, input.isTensor ? input.type : '']));
    const feeds = Object.entries(inputs).map(([name, { shape, data }]) => {
      const type = types.get(name) as 'float32';
      return [name, new OrtTensor(type, data as never, [...shape])] as const;
    });
    const names = this.#session.outputMetadata.filter(({ isTensor }) => isTensor).map(({ name }) => name);
    const outputs = await this.#session.run(Object.fromEntries(feeds), names);
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { type, dims, data }]) => {
        const copy = Array.isArray(data) ? [...data] : (data as Float32Array).slice();
        return [name, { datatype: datatypeOf[type] ?? 'FP32', shape: dims, data: copy } as Tensor];
      }),
    );
  }

  close(): Promise<void> {
    return this.#session.release();
  }
}
