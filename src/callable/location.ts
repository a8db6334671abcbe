import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { InvalidArgumentError } from '../base/errors.ts';

/** What names a module: its `import.meta`, its CommonJS `module`, its URL, or its absolute path. */
export type ModuleLocation = ImportMeta | NodeModule | URL | string;

/** The URL under which threads and processes can import a module. */
export function moduleUrl(where: ModuleLocation): string {
  if (typeof where === 'string' && isAbsolute(where)) return pathToFileURL(where).href;
  const url = written(where);
  if (url !== undefined && /^(file|data|node):/.test(url)) return url;
  throw new InvalidArgumentError('where', where, 'import.meta, module, a file: URL or an absolute path');
}

function written(where: ModuleLocation): string | undefined {
  if (typeof where === 'string') return where;
  if (where instanceof URL) return where.href;
  if (typeof where !== 'object' || where === null) return undefined;
  if ('url' in where && typeof where.url === 'string') return where.url;
  if ('filename' in where && typeof where.filename === 'string') return pathToFileURL(where.filename).href;
  return undefined;
}
