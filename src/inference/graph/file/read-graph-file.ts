import { AppError, type Fault } from '../../../errors.ts';
import { checkNesting } from '../../../tensor/json/json-nesting.ts';
import { type GraphDefinition, graphDefinitionSchema } from '../graph-definition.ts';
import { explainIssues } from './explain.ts';

/** Most characters of a `graph.json`; the largest that makes sense has a few thousand. */
const mostCharacters = 4 * 1024 * 1024;
const mostNesting = 64;

/**
 * Reads the text of a `graph.json`.
 *
 * @param source where the text comes from, for messages
 * @throws AppError `GRAPH_INVALID` with every fault: its path in the file, what was found and what is expected
 */
export function readGraphFile(source: string, json: string): GraphDefinition {
  const graph = parseJson(source, json);
  const result = graphDefinitionSchema.safeParse(graph);
  const faults = [
    ...refuseUnsafeNames(graph, []),
    ...(result.success ? [] : explainIssues(result.error.issues, graph)),
  ];
  if (result.success && faults.length === 0) return result.data;
  const message = `${source} is invalid: ${faults.map((fault) => fault.message).join('; ')}`;
  throw new AppError('GRAPH_INVALID', { message, faults });
}

function parseJson(source: string, json: string): unknown {
  if (json.length > mostCharacters) {
    const message = `${source} has ${json.length} characters; expected at most ${mostCharacters}`;
    throw new AppError('GRAPH_INVALID', { message, received: json.length, expected: mostCharacters });
  }
  try {
    // Editors of Windows put a byte order mark before UTF-8.
    const text = json.replace(/^\uFEFF/, '');
    checkNesting(text, mostNesting);
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof AppError) {
      throw new AppError('GRAPH_INVALID', {
        message: `${source} has more than ${mostNesting} levels of nesting`,
        cause,
      });
    }
    throw new AppError('GRAPH_INVALID', { message: `${source} is not valid JSON${placeIn(cause)}`, cause });
  }
}

/** Where the parser stopped, if it tells: the rest of what it says may hold a piece of the text, which is for the log. */
function placeIn(cause: unknown): string {
  const place = cause instanceof Error ? /\(line \d+ column \d+\)/.exec(cause.message) : null;
  return place === null ? '' : ` ${place[0]}`;
}

/** A schema would leave out a name that objects have anyway, without a word. */
function refuseUnsafeNames(value: unknown, path: readonly (string | number)[]): Fault[] {
  if (Array.isArray(value)) return value.flatMap((element, index) => refuseUnsafeNames(element, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const location = [...path, key];
    if (key !== '__proto__') return refuseUnsafeNames(inner, location);
    return [{ location, type: 'unsafe_name', message: `${location.join('.')}: expected another name` }];
  });
}
