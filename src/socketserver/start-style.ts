import type { ServerSettings } from './options.ts';
import type { Style, StyleParts } from './style.ts';

/** Makes the style that was chosen; what it needs is loaded only then. */
export async function startStyle(parts: StyleParts): Promise<Style> {
  return loaders[parts.settings.style](parts);
}

const here = async (parts: StyleParts) => (await import('./styles/here.ts')).serveHere(parts);

const loaders: Readonly<Record<ServerSettings['style'], (parts: StyleParts) => Promise<Style>>> = {
  async: here,
  sequential: here,
  fork: async (parts) => (await import('./styles/fork.ts')).serveByFork(parts),
  process: async (parts) => (await import('./styles/processes.ts')).serveByNewProcesses(parts),
  processes: async (parts) => (await import('./styles/processes.ts')).serveByProcessPool(parts),
  subprocess: async (parts) => (await import('./styles/subprocess.ts')).serveByPrograms(parts),
  threads: async (parts) => (await import('./styles/threads.ts')).serveByThreads(parts),
};
