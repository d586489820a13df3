import { setFlagsFromString } from 'node:v8';

/**
 * Has V8 allocate every new object among the young ones. V8 learns which places of the program make objects that last, and
 * makes those among the old ones. Under a burst of requests it learns that of objects that end with their request: all that
 * such an object refers to then stays until a full collection, short collections take ten times as long, and the server
 * gives a third less for as long as it runs. To be called before there is load.
 */
export function collectYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
