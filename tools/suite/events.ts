import { appendFileSync } from 'node:fs';

/** One line of the event file that a test process writes about itself. Suites open and close, but do not count. */
export type SuiteEvent =
  | { readonly type: 'queued' | 'open' | 'closed' | 'pass' | 'fail'; readonly name: string }
  | { readonly type: 'skip'; readonly name: string; readonly reason: string }
  | { readonly type: 'lingering'; readonly resources: readonly string[] }
  | { readonly type: 'end' };

interface NodeTestEvent {
  readonly type: string;
  readonly data: {
    readonly name: string;
    readonly skip?: string | boolean;
    readonly details?: { readonly type?: string };
  };
}

/** The variable that names the file for what a process tells outside its report, one event a line. */
export const eventFileVariable = 'SIMUL_TEST_EVENTS';

/** A reporter for `node --test-reporter`: what node:test itself says, one JSON object a line. */
export async function* reportEvents(source: AsyncIterable<NodeTestEvent>): AsyncGenerator<string> {
  let outstanding = 0;
  let timer: NodeJS.Timeout | undefined;
  for await (const event of source) {
    const line = translate(event);
    if (line === undefined) continue;
    if (line.type === 'queued') outstanding++;
    if (line.type === 'closed') outstanding--;
    clearTimeout(timer);
    if (outstanding === 0) timer = setTimeout(nameWhatLingers, 1000).unref();
    yield write(line);
  }
  yield write({ type: 'end' });
}

function write(event: SuiteEvent): string {
  return `${JSON.stringify(event)}\n`;
}

const stages: Readonly<Record<string, 'queued' | 'open' | 'closed'>> = {
  'test:enqueue': 'queued',
  'test:dequeue': 'open',
  'test:complete': 'closed',
};

function translate({ type, data }: NodeTestEvent): SuiteEvent | undefined {
  const { name, skip, details } = data;
  const stage = stages[type];
  if (stage !== undefined) return { type: stage, name };
  if ((type !== 'test:pass' && type !== 'test:fail') || details?.type === 'suite') return undefined;
  if (skip !== undefined && skip !== false) return { type: 'skip', name, reason: skip === true ? '' : skip };
  return { type: type === 'test:pass' ? 'pass' : 'fail', name };
}

// node:test ends its own report when the event loop is empty, so never in a process that something keeps alive. Only
// in such a one does an unref'ed timer fire.
function nameWhatLingers(): void {
  const file = process.env[eventFileVariable];
  if (file !== undefined) {
    appendFileSync(file, write({ type: 'lingering', resources: process.getActiveResourcesInfo() }));
  }
}

// oxlint-disable-next-line import/no-default-export -- node --test-reporter takes the default export
export default reportEvents;
