import { formCoercion } from '../domains/coerce-form.ts';
import type { AnyDomain } from '../domains/define-domain.ts';
import { validationError } from '../http/answer/zod-compilers.ts';
import type { VersionFace } from '../models/version-face.ts';
import { type ClientTerms, clientTerms, keepsTerms } from './client-terms.ts';
import type { CreatedFace } from './face-kind.ts';

/** A face that was found in the files of a version: the domain that its routes are made of. */
export class ModelFace implements VersionFace {
  readonly kind: string;
  readonly version: string;
  readonly domain: AnyDomain;
  /** The whole face as `model.json` would say it. */
  readonly settings: CreatedFace['settings'];
  readonly options: CreatedFace['options'];
  readonly padding: CreatedFace['padding'];
  readonly matrixColumns: CreatedFace['matrixColumns'];
  readonly close?: () => Promise<void>;
  readonly #followed = new WeakMap<VersionFace, boolean>();
  #terms: ClientTerms | undefined;
  #coerceForm: ReturnType<typeof formCoercion> | undefined;

  constructor(version: string, { domain, settings, options, padding, matrixColumns, close }: CreatedFace) {
    this.kind = settings.kind;
    this.settings = settings;
    this.version = version;
    this.domain = domain;
    this.options = options;
    this.padding = padding;
    this.matrixColumns = matrixColumns;
    if (close !== undefined) this.close = close;
  }

  /**
   * The domain that keeps to what a request says in its query.
   *
   * @throws AppError `VALIDATION_FAILED`
   */
  domainFor(query: Readonly<Record<string, unknown>>): AnyDomain {
    return this.domainWith(this.optionsOf(query));
  }

  /**
   * What a request says of the face in its query; undefined: nothing.
   *
   * @throws AppError `VALIDATION_FAILED`
   */
  optionsOf(query: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined {
    const { options } = this;
    if (options === undefined || !Object.keys(options.schema.shape).some((key) => Object.hasOwn(query, key))) {
      return undefined;
    }
    const result = options.schema.safeParse(query, { reportInput: true });
    if (!result.success) throw validationError(result.error, ['query']);
    return result.data;
  }

  /** The domain that keeps to options, which are those of {@link optionsOf} or were kept. */
  domainWith(options: Readonly<Record<string, unknown>> | undefined): AnyDomain {
    return options === undefined ? this.domain : (this.options?.bind(options) ?? this.domain);
  }

  /** What a kept result shows of the options of its request, which were not kept. */
  optionsOfResult(result: unknown): Readonly<Record<string, unknown>> | undefined {
    const { options } = this;
    if (options?.ofResult === undefined || typeof result !== 'object' || result === null) return undefined;
    return options.ofResult({ ...result });
  }

  get terms(): ClientTerms {
    this.#terms ??= clientTerms(this.domain);
    return this.#terms;
  }

  /** Whether it is of the same kind, takes the same instances, and its results lack nothing. Asked by every request. */
  canFollow(before: VersionFace): boolean {
    const known = this.#followed.get(before);
    if (known !== undefined) return known;
    const face = modelFaceOf(before);
    const can = face !== undefined && face.kind === this.kind && keepsTerms(face.terms, this.terms);
    this.#followed.set(before, can);
    return can;
  }

  /** Turns the texts of an HTML form into what the fields of an instance are. */
  coerceForm(form: Readonly<Record<string, unknown>>): Record<string, unknown> {
    this.#coerceForm ??= formCoercion(this.domain.input);
    return this.#coerceForm(form);
  }
}

/** The face of a version, if it is one that was found here. */
export function modelFaceOf(face: VersionFace | undefined): ModelFace | undefined {
  return face instanceof ModelFace ? face : undefined;
}
