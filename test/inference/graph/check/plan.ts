import { AppError } from '../../../../src/errors.ts';
import type { FindMember } from '../../../../src/inference/graph/check/members.ts';
import { planGraph } from '../../../../src/inference/graph/check/plan-graph.ts';
import { graphDefinitionSchema } from '../../../../src/inference/graph/graph-definition.ts';
import type { GraphPlan } from '../../../../src/inference/graph/graph-plan.ts';
import { type CompiledRule, type CompileRule, RuleError } from '../../../../src/inference/graph/rules.ts';
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

/** Rules by their text: what each reads, or why it cannot be. They decide nothing. */
export function rulesOf(rules: Readonly<Record<string, Partial<CompiledRule> | RuleError>>): CompileRule {
  return (text) => {
    const rule = rules[text];
    if (rule instanceof RuleError) throw rule;
    if (rule === undefined) throw new Error(`${text} is compiled`);
    return { text, reads: [], readsRequest: false, readsRows: false, decide: () => false, ...rule };
  };
}

/** The plan of a graph over members of version 1. */
export function plan(graph: unknown, members: Members | FindMember, compileRule: CompileRule = rulesOf({})): GraphPlan {
  const find = typeof members === 'function' ? members : findIn(members);
  return planGraph(graphDefinitionSchema.parse(graph), find, compileRule);
}

function findIn(members: Members): FindMember {
  const names = Object.keys(members);
  return (reference) => {
    const member = members[reference];
    if (member === undefined) return { fault: `there is no model ${reference}` };
    const [inputs, outputs] = member;
    const signature = { inputs: specsOf(inputs), outputs: specsOf(outputs) };
    return { index: names.indexOf(reference), facts: { name: reference, version: '1', signature } };
  };
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
