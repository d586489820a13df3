import type { FastifyInstance } from 'fastify';
import { AppError } from '../../errors.ts';
import type { Registry } from '../../models/registry/registry.ts';
import { maySeeModel } from '../admission/authorization.ts';
import { problemResponses } from '../answer/problem.ts';

/** What `POST /predict` may mean. */
export interface DefaultChoice {
  /** Name of a domain or a model; undefined: the only model there is. */
  readonly defaultModel: string | undefined;
  readonly registry: Registry;
  readonly domains: readonly { readonly name: string; readonly model: string }[];
}

const route = '/predict';

/** The URL that a request means: `/predict` is the route of the default domain or model, every other URL is itself. */
export function rewriteDefaultPrediction(choice: DefaultChoice, url: string): string {
  if (!url.startsWith(route)) return url;
  const rest = url.slice(route.length);
  if (rest !== '' && !rest.startsWith('?')) return url;
  return (defaultRoute(choice) ?? route) + rest;
}

function defaultRoute(choice: DefaultChoice): string | undefined {
  const name = defaultName(choice);
  const domain = domainOf(choice, name);
  if (domain !== undefined) return `/${domain.name}/predict`;
  return isModel(choice, name) ? `/models/${name}/predict` : undefined;
}

/** The model that a request means which names none; undefined if that is no model. */
export function defaultModelName(choice: DefaultChoice): string | undefined {
  const name = defaultName(choice);
  const model = domainOf(choice, name)?.model ?? name;
  return isModel(choice, model) ? model : undefined;
}

/**
 * The model that a request means which names none.
 *
 * @throws AppError `DEFAULT_MODEL_UNKNOWN` that lists the choices
 */
export function defaultModel(choice: DefaultChoice): string {
  const model = defaultModelName(choice);
  if (model !== undefined) return model;
  throw noDefault(choice);
}

function defaultName({ defaultModel, registry }: DefaultChoice): string | undefined {
  const models = registry.list();
  return defaultModel ?? (models.length === 1 ? models[0]?.name : undefined);
}

function domainOf({ domains }: DefaultChoice, name: string | undefined): DefaultChoice['domains'][number] | undefined {
  return domains.find((candidate) => candidate.name === name || candidate.model === name);
}

function isModel({ registry }: DefaultChoice, name: string | undefined): boolean {
  return registry.list().some((model) => model.name === name);
}

function noDefault({ defaultModel, registry, domains }: DefaultChoice, mayTell = (_model: string) => true): AppError {
  const names = registry.list().map((model) => model.name);
  const faces = domains.filter(({ model }) => mayTell(model)).map((domain) => domain.name);
  const choices = [...new Set([...faces, ...names.filter(mayTell)])];
  const reason = defaultModel === undefined ? 'DEFAULT_MODEL is not set' : `There is no model "${defaultModel}"`;
  return new AppError('DEFAULT_MODEL_UNKNOWN', {
    message: `${reason}; use /{name}/predict with one of: ${choices.join(', ') || 'none'}`,
    received: defaultModel,
    expected: choices,
  });
}

/** Documents `POST /predict`, and answers it when there is no default. */
export function defaultPredictionRoute(app: FastifyInstance, choice: DefaultChoice): void {
  app.post(route, {
    config: { scope: 'infer', filtersModels: true },
    schema: {
      tags: ['default'],
      summary: "The default model's predict",
      description: 'Takes and answers what the predict route of the default model does.',
      response: problemResponses('DEFAULT_MODEL_UNKNOWN', 'MALFORMED_JSON', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'),
    },
    handler: (request) => {
      throw noDefault(choice, (model) => maySeeModel(request, model));
    },
  });
}
