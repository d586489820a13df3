import { formCoercion } from '../domains/coerce-form.ts';
import type { AnyDomain } from '../domains/define-domain.ts';
import type { VersionFace } from '../models/version-face.ts';
import type { CreatedFace } from './face-kind.ts';

/** A face that was found in the files of a version: the domain that its routes are made of. */
export class ModelFace implements VersionFace {
  readonly kind: string;
  readonly version: string;
  readonly domain: AnyDomain;
  /** The whole face as `model.json` would say it. */
  readonly settings: CreatedFace['settings'];
  readonly close?: () => Promise<void>;
  #coerceForm: ReturnType<typeof formCoercion> | undefined;

  constructor(version: string, { domain, settings, close }: CreatedFace) {
    this.kind = settings.kind;
    this.settings = settings;
    this.version = version;
    this.domain = domain;
    if (close !== undefined) this.close = close;
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
