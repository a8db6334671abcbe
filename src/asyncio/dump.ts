import { listenTo } from './signal-listener.ts';
import { formatTaskTree } from './tree.ts';

const sections = new Map<string, () => string>([['tasks', formatTaskTree]]);

/**
 * Adds a part to the dump, such as the one on named locks that `simul/threading` and `simul/multiprocessing` add; returns what
 * takes it out.
 */
export function addDumpSection(title: string, write: () => string): () => void {
  sections.set(title, write);
  return () => sections.delete(title);
}

/** The dump as text: one part for the tasks, and those that were added. */
export function formatDump(): string {
  return [...sections].map(([title, write]) => `== ${title} ==\n${write()}`).join('');
}

/**
 * Writes the tasks of every loop of this thread, as a tree, and the other parts of the dump if there are any, to `stream`
 * (default: standard error).
 */
export function printTaskTree(stream: { write(text: string): unknown } = process.stderr): void {
  stream.write(sections.size === 1 ? formatTaskTree() : formatDump());
}

/**
 * Writes the dump to standard error whenever the process gets `signal`. Nothing is installed unless this is called.
 *
 * @example
 * using dump = dumpOnSignal('SIGQUIT'); // Ctrl-\ shows what every task waits for
 */
export function dumpOnSignal(signal: NodeJS.Signals = 'SIGQUIT'): Disposable {
  const stop = listenTo(signal, () => process.stderr.write(formatDump()));
  return { [Symbol.dispose]: stop };
}
