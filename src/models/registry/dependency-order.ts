import { AppError } from '../../errors.ts';

/** A model by name, and the names of those that it is made of. */
export interface Dependent {
  readonly name: string;
  readonly members: readonly string[];
}

/**
 * Sorts models so that each comes after its members, as far as these are among them.
 *
 * @returns the models that can be loaded, in order, and those that are made of themselves, with the circle of each
 */
export function dependencyOrder<Model extends Dependent>(
  models: readonly Model[],
): { readonly ordered: readonly Model[]; readonly circular: ReadonlyMap<Model, AppError> } {
  const byName = new Map(models.map((model) => [model.name, model]));
  const ordered = new Set<Model>();
  const circular = new Map<Model, AppError>();
  const visit = (model: Model, path: readonly string[]): void => {
    if (ordered.has(model) || circular.has(model)) return;
    const start = path.indexOf(model.name);
    if (start >= 0) {
      circular.set(model, madeOfItself([...path.slice(start), model.name]));
      return;
    }
    for (const member of model.members) {
      const found = byName.get(member);
      if (found !== undefined) visit(found, [...path, model.name]);
    }
    if (!circular.has(model)) ordered.add(model);
  };
  for (const model of models) visit(model, []);
  return { ordered: [...ordered], circular };
}

/** @param names the way from the model to itself */
export function madeOfItself(names: readonly string[]): AppError {
  return new AppError('MODEL_LOAD_FAILED', {
    message: `The model is made of itself: ${names.join(' → ')}`,
    received: names,
  });
}
