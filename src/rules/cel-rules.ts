import { type ASTNode, Environment, EvaluationError, ParseError } from '@marcbachmann/cel-js';
import { type CompiledRule, type CompileRule, RuleError, type RuleScope } from '../inference/graph/rules.ts';
import { typeOfRow, valueOfRow } from './row-value.ts';
import { findName, isBase, type RuleName, refuseBare, refuseUnknown } from './rule-names.ts';
import { checkZone, zonedMethods, zonedReader } from './zoned-time.ts';

const limits = { maxAstNodes: 200, maxDepth: 50 };

/** Names that stand for one tensor, header or field of the key each begin so; no rule can have one. */
const prefix = 'inferd_';

/**
 * Makes what compiles the rules of a graph, in CEL. What a rule reads is found in its parsed form, so that each tensor,
 * header and field becomes one typed variable; the rule is then checked against their types.
 */
export function createRuleCompiler(): CompileRule {
  const language = new Environment({ limits });
  const known: KnownNames = {
    isType: (name) => language.hasVariable(name),
    functions: new Set(language.getDefinitions().functions.map(({ name }) => name)),
  };
  const numeric = numericEnvironment();
  return (text, scope) => {
    const walk = new RuleWalk(text, scope, known);
    walk.visit(parseWith(language, text).ast, new Set());
    return compile(text, walk, numeric.clone());
  };
}

function compile(text: string, walk: RuleWalk, environment: Environment): CompiledRule {
  const variables = walk.names.map((name, index) => ({ name, variable: `${prefix}${index}` }));
  for (const { name, variable } of variables) environment.registerVariable(variable, typeOf(name));
  const rewritten = parseWith(environment, walk.rewritten());
  const { valid, type, error } = rewritten.check();
  if (!valid) throw new RuleError(explain(error?.summary ?? 'the types do not fit'));
  if (type !== 'bool') throw new RuleError(`the rule gives ${type}; expected bool, such as a comparison`);

  const tensors = variables.flatMap(({ name, variable }) => (name.kind === 'tensor' ? [{ ...name, variable }] : []));
  return {
    text,
    reads: tensors.map(({ step, spec }) => ({ step, tensor: spec.name })),
    readsRequest: walk.readsNow || variables.some(({ name }) => name.kind !== 'tensor'),
    readsRows: walk.readsRows,
    decide(request, read, row) {
      const values: Record<string, unknown> = { now: request.now, rows: BigInt(request.rows) };
      for (const { name, variable } of variables) {
        if (name.kind === 'header') values[variable] = request.headers[name.header] ?? '';
        else if (name.kind === 'key') values[variable] = request.key[name.field];
        else values[variable] = valueOfRow(read({ step: name.step, tensor: name.spec.name }), row, name.spec);
      }
      const decision: unknown = rewritten(values);
      if (typeof decision === 'boolean') return decision;
      throw new EvaluationError(`the rule gave ${typeof decision}, not a bool`);
    },
  };
}

function typeOf(name: RuleName): string {
  return name.kind === 'tensor' ? typeOfRow(`${name.step}.${name.spec.name}`, name.spec) : 'string';
}

function parseWith(environment: Environment, text: string): ReturnType<Environment['parse']> {
  try {
    return environment.parse(text);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    if (error.code === 'limit_exceeded') {
      throw new RuleError(
        `the rule is too large; expected at most ${limits.maxAstNodes} parts, ${limits.maxDepth} deep`,
      );
    }
    const place = error.range === undefined ? '' : ` at character ${error.range.start + 1}`;
    throw new RuleError(`the rule is not CEL${place}: ${error.summary}`);
  }
}

/** Says of the kind of mistake that is made most often how to mend it. */
function explain(summary: string): string {
  const [, left, operator, right] = /^no such overload: (int|double) ([-+*/%]) (int|double)$/.exec(summary) ?? [];
  if (left === right) return summary;
  return `${left} ${operator} ${right} is not possible; write the number as 1.0, or convert by double() or int()`;
}

/**
 * CEL with equality between integers and floats, as its specification has it for comparisons, and the time in zones: the
 * library reads a clock of another zone as one of the host's own zone, which skips and repeats hours of its own.
 */
function numericEnvironment(): Environment {
  const environment = new Environment({ limits })
    .registerVariable('now', 'google.protobuf.Timestamp')
    .registerVariable('rows', 'int')
    // As a float, an integer beyond 2^53 may be its neighbour.
    .registerOperator('int == double', (a: bigint, b: number) => Number(a) === b && BigInt(b) === a)
    .registerOperator('double in list<int>', (a: number, list: bigint[]) =>
      list.some((b) => Number(b) === a && BigInt(a) === b),
    )
    .registerOperator('int in list<double>', (a: bigint, list: number[]) =>
      list.some((b) => Number(a) === b && BigInt(b) === a),
    );
  const read = zonedReader();
  for (const method of zonedMethods) {
    const handler = (moment: Date, zone = 'UTC') => read(method, moment, zone);
    for (const arguments_ of ['', 'string']) {
      const signature = `google.protobuf.Timestamp.${prefix}${method}(${arguments_}): int`;
      environment.registerFunction(signature, handler, { async: false });
    }
  }
  return environment;
}

/** Functions that rules may not use, and why. */
const refused: Readonly<Record<string, string>> = {
  matches: 'a pattern can take longer than any deadline; use ==, startsWith, endsWith or contains',
  dyn: 'it would keep types from being checked',
  has: 'tensors are always there, and a header that the request lacks is ""',
};

/** Names of the language that only have others behind them. */
const namespaces = ['cel', 'google'];

const comprehensions = ['all', 'exists', 'exists_one', 'filter', 'map'];

/** What the language itself has. */
interface KnownNames {
  /** Types are names too: `type(x) == int`. */
  readonly isType: (name: string) => boolean;
  readonly functions: ReadonlySet<string>;
}

/** Finds what a rule reads, and writes it anew with one variable for each. */
class RuleWalk {
  readonly names: RuleName[] = [];
  readsNow = false;
  readsRows = false;
  readonly #text: string;
  readonly #scope: RuleScope;
  readonly #known: KnownNames;
  readonly #changes: { readonly start: number; readonly end: number; readonly by: string }[] = [];

  constructor(text: string, scope: RuleScope, known: KnownNames) {
    this.#text = text;
    this.#scope = scope;
    this.#known = known;
  }

  rewritten(): string {
    let text = this.#text;
    const fromEnd = this.#changes.toSorted((a, b) => b.start - a.start);
    for (const { start, end, by } of fromEnd) text = `${text.slice(0, start)}${by}${text.slice(end)}`;
    return text;
  }

  /** @param bound names that an expression around the node has bound */
  visit(node: ASTNode, bound: ReadonlySet<string>): void {
    switch (node.op) {
      case 'value':
        return;
      case 'id':
        this.#visitName(node.args, bound);
        return;
      case '.':
        if (this.#visitAccess(node, node.args[0], node.args[1], bound)) return;
        this.visit(node.args[0], bound);
        this.#checkField(node.args[0], node.args[1], bound);
        return;
      case '[]': {
        const [base, index] = node.args;
        const name = index.op === 'value' ? index.args : undefined;
        if (this.#visitAccess(node, base, name, bound)) return;
        this.visit(base, bound);
        this.visit(index, bound);
        if (typeof name === 'string') this.#checkField(base, name, bound);
        return;
      }
      case 'call':
        this.#checkFunction(node.args[0]);
        for (const argument of node.args[1]) this.visit(argument, bound);
        return;
      case 'rcall':
        this.#visitMethod(node, node.args, bound);
        return;
      case 'map':
        for (const entry of node.args) for (const part of entry) this.visit(part, bound);
        return;
      case '!_':
      case '-_':
        this.visit(node.args, bound);
        return;
      case '.?':
      case '[?]':
        throw new RuleError('optional access is not possible; tensors are always there');
      default:
        for (const part of node.args) this.visit(part, bound);
    }
  }

  #visitName(name: string, bound: ReadonlySet<string>): void {
    if (bound.has(name)) return;
    if (isBase(name, this.#scope)) refuseBare(name);
    if (name === 'now') this.readsNow = true;
    else if (name === 'rows') this.readsRows = true;
    else if (!this.#known.isType(name) || namespaces.includes(name)) {
      refuseUnknown(name, 'name', [...this.#scope.tensors.keys(), 'headers', 'key', 'now', 'rows']);
    }
  }

  /** Whether the base is one whose names are known, so that the access as a whole is one variable. */
  #visitAccess(node: ASTNode, base: ASTNode, name: unknown, bound: ReadonlySet<string>): boolean {
    if (base.op !== 'id' || bound.has(base.args) || !isBase(base.args, this.#scope)) return false;
    if (typeof name !== 'string') refuseBare(base.args);
    const found = findName(base.args, name, this.#scope);
    const { start, end } = node;
    if (!/^\w+\s*[.[]/.test(this.#text.slice(start, end))) {
      throw new RuleError(`write ${base.args} without parentheses around it`);
    }
    this.#changes.push({ start, end, by: `${prefix}${this.#indexOf(found)}` });
    return true;
  }

  /** Maps that stand in the rule have fields; of a time or a text the library would look for one only when it decides. */
  #checkField(base: ASTNode, name: string, bound: ReadonlySet<string>): void {
    let root = base;
    while (root.op === '.' || root.op === '[]') root = root.args[0];
    if (root.op === 'map' || (root.op === 'id' && bound.has(root.args))) return;
    const methods = [...this.#known.functions].toSorted((a, b) => a.length - b.length);
    const method = methods.find((known) => known.toLowerCase().endsWith(name.toLowerCase()));
    const advice = method === undefined ? '' : `; did you mean ${method}()?`;
    throw new RuleError(`${this.#text.slice(base.start, base.end)} has no ${JSON.stringify(name)}${advice}`);
  }

  #indexOf(found: RuleName): number {
    const text = JSON.stringify(found);
    const index = this.names.findIndex((name) => JSON.stringify(name) === text);
    return index === -1 ? this.names.push(found) - 1 : index;
  }

  #visitMethod(
    node: ASTNode,
    [method, receiver, parts]: readonly [string, ASTNode, readonly ASTNode[]],
    bound: ReadonlySet<string>,
  ): void {
    this.#checkFunction(method);
    const isBind = method === 'bind' && receiver.op === 'id' && receiver.args === 'cel';
    if (!isBind) this.visit(receiver, bound);
    const [first] = parts;
    const binds = isBind || comprehensions.includes(method);
    if (binds && first?.op === 'id') {
      const name = first.args;
      if (isBase(name, this.#scope) || name === 'now' || name === 'rows' || name.startsWith(prefix)) {
        throw new RuleError(`${method} calls its variable ${name}, which means something else; expected another name`);
      }
      for (const part of parts.slice(1)) this.visit(part, new Set([...bound, name]));
      return;
    }
    for (const part of parts) this.visit(part, bound);
    if (zonedMethods.includes(method) && (parts.length > 0 || method === 'getDayOfYear'))
      this.#readInZone(node, method, receiver, first);
  }

  #readInZone(node: ASTNode, method: string, receiver: ASTNode, zone: ASTNode | undefined): void {
    if (zone !== undefined) {
      if (zone.op !== 'value' || typeof zone.args !== 'string') {
        throw new RuleError(`${method} takes a time zone that stands in the rule, such as 'Asia/Seoul'`);
      }
      checkZone(zone.args);
    }
    const before = /^[\s)]*\.\s*/.exec(this.#text.slice(receiver.end, node.end))?.[0].length ?? 0;
    const start = receiver.end + before;
    const end = start + method.length;
    if (this.#text.slice(start, end) !== method) throw new RuleError(`no comment may stand before ${method}`);
    this.#changes.push({ start, end, by: `${prefix}${method}` });
  }

  #checkFunction(name: string): void {
    const why = Object.hasOwn(refused, name) ? refused[name] : undefined;
    if (why !== undefined) throw new RuleError(`${name} is not possible in a rule: ${why}`);
    if (!this.#known.functions.has(name)) refuseUnknown(name, 'function', this.#known.functions);
  }
}
