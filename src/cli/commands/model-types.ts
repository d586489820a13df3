import type { Signature, TensorSpec } from '../../tensor/tensor.ts';

/** A model whose types are to be written. */
export interface DescribedModel {
  readonly name: string;
  readonly signature: Signature;
  readonly description?: string | undefined;
}

/**
 * TypeScript types for models: an interface each, and `Models`, which has them by the names of the models.
 *
 * @example const { outputs } = await client.infer<Models['iris']>('iris', { features })
 */
export function modelTypes(models: readonly DescribedModel[]): string {
  const names = interfaceNames(models.map(({ name }) => name));
  const named = models.map((model, index) => ({ model, interfaceName: names[index] ?? 'Model' }));
  const interfaces = named.map(({ model, interfaceName }) => writeInterface(model, interfaceName));
  const entries = named.map(({ model, interfaceName }) => `  ${propertyName(model.name)}: ${interfaceName};\n`);
  return [
    '// Written by `inferd types`. Write it anew when the models change.\n',
    models.length > 0 ? "import type { TensorOf } from 'inferd/client';\n" : '',
    ...interfaces,
    `/** Every model by its name. */\nexport interface Models {\n${entries.join('')}}\n`,
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function writeInterface({ signature, description }: DescribedModel, name: string): string {
  return `${comment(description)}export interface ${name} {
  inputs: {
${signature.inputs.map(writeTensor).join('')}  };
  outputs: {
${signature.outputs.map(writeTensor).join('')}  };
}
`;
}

function writeTensor({ name, datatype, shape }: TensorSpec): string {
  // An empty shape stands for a scalar as well as for any rank.
  const dimensions = shape.map((size) => (size < 0 ? 'number' : String(size)));
  const type = shape.length === 0 ? `TensorOf<'${datatype}'>` : `TensorOf<'${datatype}', [${dimensions.join(', ')}]>`;
  return `    ${propertyName(name)}: ${type};\n`;
}

function comment(text: string | undefined): string {
  if (text === undefined) return '';
  return `/** ${text.replaceAll('*/', '* /').replaceAll(/\s+/g, ' ')} */\n`;
}

const identifier = /^[A-Za-z_$][\w$]*$/;

function propertyName(name: string): string {
  return identifier.test(name) ? name : JSON.stringify(name);
}

/** `my-model` becomes `MyModel`; names that would meet get a number. */
function interfaceNames(names: readonly string[]): string[] {
  const taken = new Set(['Models', 'TensorOf']);
  return names.map((name) => {
    const words = name.split(/[^A-Za-z0-9]+/).map((word) => word.charAt(0).toUpperCase() + word.slice(1));
    const joined = words.join('');
    const base = /^[A-Z]/.test(joined) ? joined : `Model${joined}`;
    let unique = base;
    for (let count = 2; taken.has(unique); count++) unique = `${base}${count}`;
    taken.add(unique);
    return unique;
  });
}
