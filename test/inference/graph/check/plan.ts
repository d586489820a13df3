import { AppError } from '../../../../src/errors.ts';
import { planGraph } from '../../../../src/inference/graph/check/plan-graph.ts';
import { graphDefinitionSchema } from '../../../../src/inference/graph/graph-definition.ts';
import type { GraphPlan } from '../../../../src/inference/graph/graph-plan.ts';
import type { CompileRule } from '../../../../src/inference/graph/rules.ts';
import { isDataType } from '../../../../src/tensor/data-type.ts';
import type { TensorSpec } from '../../../../src/tensor/tensor.ts';

/** Members by reference: inputs and outputs as in `INT64 -1,4`. */
export type Members = Readonly<Record<string, readonly [inputs: Forms, outputs: Forms]>>;
type Forms = Readonly<Record<string, string>>;

function specsOf(forms: Forms): TensorSpec[] {
  return Object.entries(forms).map(([name, form]) => {
    const [datatype = '', shape = ''] = form.split(' ');
    if (!isDataType(datatype)) throw new Error(`${datatype} is no data type`);
    return { name, datatype, shape: shape === '' ? [] : shape.split(',').map(Number) };
  });
}

const noRules: CompileRule = () => {
  throw new Error('there is no rule');
};

/** The plan of a graph over members of version 1. */
export function plan(graph: unknown, members: Members, compileRule: CompileRule = noRules): GraphPlan {
  const names = Object.keys(members);
  const find = (reference: string) => {
    const member = members[reference];
    if (member === undefined) return { fault: `there is no model ${reference}` };
    const [inputs, outputs] = member;
    const signature = { inputs: specsOf(inputs), outputs: specsOf(outputs) };
    return { index: names.indexOf(reference), facts: { name: reference, version: '1', signature } };
  };
  return planGraph(graphDefinitionSchema.parse(graph), find, compileRule);
}

/** The messages of all faults of a graph. */
export function faultsOf(...args: Parameters<typeof plan>): string[] {
  try {
    plan(...args);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'GRAPH_INVALID') throw error;
    return error.faults.map((fault) => fault.message);
  }
  return [];
}
