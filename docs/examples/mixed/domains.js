import { join } from 'node:path';
import { defineDomain, loadTokenizer, output, pictures, softmax, topK, z } from 'inferd';

const models = process.env.MODELS_DIR ?? 'models';
const colours = ['red', 'green', 'blue'];

const hue = defineDomain({
  name: 'hue',
  model: 'colours',
  summary: 'Which colours has this picture most of?',
  input: z.strictObject({ image: z.base64().transform((text) => Buffer.from(text, 'base64')) }),
  output: z.object({ colours: z.array(z.object({ name: z.enum(colours), share: z.number() })) }),
  examples: [{ image: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYPgPAAEDAQAIicLsAAAAAElFTkSuQmCC' }],
  file: { field: 'file', mediaTypes: ['image/png', 'image/jpeg'], toInstance: (bytes) => ({ image: bytes }) },
  encode: async (instances, _model, { signal }) => {
    const resized = instances.map(async ({ image }) => {
      const picture = await pictures.decode(image, { signal });
      return pictures.resize(picture, { height: 8, width: 8, filter: 'bicubic', signal });
    });
    return { pixel_values: pictures.toTensor(await Promise.all(resized), { scale: 1 / 16 }) };
  },
  decode: (outputs, instances) => {
    const { data } = output(outputs, 'logits', 'FP32');
    return instances.map((_, row) => {
      const shares = softmax(data.subarray(row * 3, row * 3 + 3));
      return { colours: topK(shares, 2).map(({ index, value }) => ({ name: colours[index], share: value })) };
    });
  },
});

const tokenizer = await loadTokenizer(join(models, 'mood', '1'));

const tone = defineDomain({
  name: 'tone',
  model: 'mood',
  summary: 'Is this review a good one?',
  input: z.strictObject({ title: z.string().max(200), review: z.string().max(10_000) }),
  output: z.object({ good: z.number().min(0).max(1) }),
  examples: [{ title: 'good', review: 'a good film' }],
  encode: async (reviews, model, { signal }) => {
    const pairs = reviews.map(({ title, review }) => ({ first: title, second: review }));
    return tokenizer.pad(await tokenizer.encode(pairs, { signal, tooLong: 'truncate' }), { model });
  },
  decode: (outputs, instances) => {
    const { data } = output(outputs, 'logits', 'FP32');
    return instances.map((_, row) => ({ good: softmax(data.subarray(row * 2, row * 2 + 2))[1] }));
  },
});

export default [hue, tone];
