/* oxlint-disable no-underscore-dangle -- Node's own names */
import { createRequire } from 'node:module';
import type { Session } from 'node:inspector';
import { UnsupportedError } from '../base/errors.ts';

interface TimersList {
  _idlePrev: TimersList | NodeJS.Timeout;
  _idleNext: TimersList | NodeJS.Timeout;
}

/**
 * Binds what clears every timer there is. Node has no list of them for programs; its own, a variable that `clearTimeout`
 * closes over (lib/timers.js), can be had through the inspector's view of a function's scopes. UnsupportedError where it cannot.
 */
export function prepareToClearTimers(): () => void {
  const lists = timerLists();
  return () => {
    for (const list of Object.values(lists)) clear(list);
  };
}

function clear(list: TimersList): void {
  while (list._idlePrev !== list) {
    const timer = list._idlePrev as NodeJS.Timeout;
    clearTimeout(timer);
    if (list._idlePrev !== timer) continue;
    // One of Node's own, which it would not clear: it is only forgotten.
    list._idlePrev = list;
    list._idleNext = list;
  }
}

const key = Symbol.for('simul.os.timers');
const holder = globalThis as { [key]?: unknown };

function timerLists(): Record<string, TimersList> {
  const session = openSession();
  try {
    holder[key] = clearTimeout;
    const evaluated = post(session, 'Runtime.evaluate', { expression: `globalThis[${symbol}]` }) as Evaluated;
    const timers = evaluated.result.objectId;
    const objectId = find(session, timers, 'timerListMap');
    const functionDeclaration = `function () { globalThis[${symbol}] = this; }`;
    post(session, 'Runtime.callFunctionOn', { objectId, functionDeclaration });
    return holder[key] as Record<string, TimersList>;
  } finally {
    delete holder[key];
    session.disconnect();
  }
}

const symbol = "Symbol.for('simul.os.timers')";

interface Evaluated {
  readonly result: { readonly objectId: string };
}

interface Property {
  readonly name: string;
  readonly value?: { readonly objectId?: string; readonly description?: string };
}

interface Properties {
  readonly result: readonly Property[];
  readonly internalProperties?: readonly Property[];
}

function find(session: Session, fn: string, name: string): string {
  const properties = (objectId: string) =>
    post(session, 'Runtime.getProperties', { objectId, ownProperties: true }) as Properties;
  const scopes = properties(fn).internalProperties?.find((property) => property.name === '[[Scopes]]')?.value?.objectId;
  for (const scope of scopes === undefined ? [] : properties(scopes).result) {
    if (scope.value?.objectId === undefined || scope.value.description?.startsWith('Global') === true) continue;
    const found = properties(scope.value.objectId).result.find((variable) => variable.name === name)?.value?.objectId;
    if (found !== undefined) return found;
  }
  throw new UnsupportedError(`this Node (${process.version}) does not show its timers: use start method "forkserver"`);
}

function openSession(): Session {
  try {
    const inspector = createRequire(import.meta.url)('node:inspector') as typeof import('node:inspector');
    const session = new inspector.Session();
    session.connect();
    return session;
  } catch (cause) {
    throw new UnsupportedError('this Node has no inspector, through which its timers are found', { cause });
  }
}

// Within one thread the answer comes before `post` returns.
function post(session: Session, method: string, parameters: object): unknown {
  let answer: unknown;
  session.post(method, parameters, (error: Error | null, result?: object) => {
    if (error !== null) throw new UnsupportedError(`${method} of the inspector failed`, { cause: error });
    answer = result;
  });
  return answer;
}
