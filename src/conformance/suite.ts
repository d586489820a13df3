import type { CheckDescription, ModelCheck, ServerCheck } from './check.ts';
import { binaryChecks } from './checks/binary-checks.ts';
import { binaryRefusals } from './checks/binary-refusals.ts';
import { classificationChecks } from './checks/classification-checks.ts';
import { compressionChecks } from './checks/compression-checks.ts';
import { inferChecks } from './checks/infer-checks.ts';
import { inferRefusals } from './checks/infer-refusals.ts';
import { modelChecks } from './checks/model-checks.ts';
import { refusalChecks } from './checks/refusals.ts';
import { repositoryChecks } from './checks/repository-checks.ts';
import { lastServerCheck, serverChecks } from './checks/server-checks.ts';
import { statisticsChecks } from './checks/statistics-checks.ts';

/** In their order; those that unload models come last. */
export const suite: {
  readonly first: readonly ServerCheck[];
  readonly ofModels: readonly ModelCheck[];
  readonly last: readonly ServerCheck[];
} = {
  first: serverChecks,
  ofModels: [
    ...modelChecks,
    ...inferChecks,
    ...refusalChecks(inferRefusals),
    ...binaryChecks,
    ...refusalChecks(binaryRefusals),
    ...compressionChecks,
    ...statisticsChecks,
    ...classificationChecks,
    ...repositoryChecks,
  ],
  last: [lastServerCheck],
};

/** Every check there is. */
export const allChecks: readonly CheckDescription[] = [...suite.first, ...suite.ofModels, ...suite.last];
