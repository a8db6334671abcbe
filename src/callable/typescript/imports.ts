import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The specifier of a static import; `start` and `end` span it with its quotes. */
export interface ImportSite {
  readonly specifier: string;
  readonly start: number;
  readonly end: number;
}

interface Sited {
  readonly commonjs: boolean;
  readonly code: string;
  readonly imports: readonly ImportSite[];
}

type Lexer = typeof import('es-module-lexer');
const require = createRequire(import.meta.url);

/** The slots of `globalThis` through which twins import and require at run time; see run-time.ts. */
export const importSlot = 'simul.typescript.import';
export const requireSlot = 'simul.typescript.require';

/**
 * Gives transformed code the identity of its original file (`import.meta`, `__filename`, `require`) and finds its
 * static imports. `import()` goes through a function of ours, so that what it names is transformed only if it runs.
 */
export function siteOriginal(path: string, code: string, type: 'module' | 'commonjs' | undefined): Sited {
  // The asm.js build works without the asynchronous set-up that the other one needs.
  const { parse } = require('es-module-lexer/js') as Lexer;
  const commonjs = type === 'commonjs' || (type === undefined && !parse(code)[3]);
  const banner = commonjs ? commonjsBanner(path) : moduleBanner(path);
  const whole = withBanner(banner, hookImports(path, code));
  const imports = parse(whole)[0].flatMap(({ type, specifier, start, end }) =>
    type === 'static' || type === 'reexport-star' ? [{ specifier, start: start - 1, end: end + 1 }] : [],
  );
  return { commonjs, code: whole, imports };
}

/** Puts our function, which resolves from `path`, in place of the keyword of every `import()`. */
export function hookImports(path: string, code: string): string {
  const { parse } = require('es-module-lexer/js') as Lexer;
  const call = `globalThis[Symbol.for(${text(importSlot)})](${text(path)})`;
  let replaced = code;
  const starts = parse(code)[0].flatMap((site) => (site.type === 'dynamic' ? [site.importStart] : []));
  for (const start of starts.sort((a, b) => b - a)) {
    replaced = replaced.slice(0, start) + call + replaced.slice(start + 'import'.length);
  }
  return replaced;
}

// On the first line, or in place of a `#!` line, so that the lines of the source map stay true.
function withBanner(banner: string, code: string): string {
  if (code.startsWith('#!')) return code.replace(/^.*/, () => banner);
  return (code.startsWith('"use strict"') ? '"use strict";' : '') + banner + code;
}

// `import.meta` is a plain object in Node and its properties can be set.
function moduleBanner(path: string): string {
  const url = text(pathToFileURL(path).href);
  return (
    `import.meta.url=${url};import.meta.filename=${text(path)};import.meta.dirname=${text(dirname(path))};` +
    `{const r=import.meta.resolve;import.meta.resolve=(s)=>/^(\\.{0,2}\\/|\\w+:)/.test(s)?new URL(s,${url}).href:r(s)};`
  );
}

function commonjsBanner(path: string): string {
  return (
    `module.filename=__filename=${text(path)};__dirname=${text(dirname(path))};` +
    `require=globalThis[Symbol.for(${text(requireSlot)})](__filename);`
  );
}

function text(value: string): string {
  return JSON.stringify(value);
}
