/** What monitors show of arguments: Python's `repr` of a tuple or dict, cut at 1,024 characters and three levels. */
export function argsRepr(args: readonly unknown[]): string {
  const items = args.slice(0, maxItems).map((item) => repr(item, 1));
  const more = args.length > maxItems ? ['...'] : [];
  return cut(`(${[...items, ...more].join(', ')}${args.length === 1 ? ',' : ''})`);
}

export function kwargsRepr(kwargs: Readonly<Record<string, unknown>>): string {
  return cut(repr(kwargs, 0));
}

const maxLength = 1024;
const maxDepth = 3;
const maxItems = 64;

function cut(text: string): string {
  return text.length > maxLength ? `${text.slice(0, maxLength - 3)}...` : text;
}

function repr(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'number':
      return Number.isFinite(value) ? String(value) : Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
    case 'boolean':
      return value ? 'True' : 'False';
    case 'bigint':
      return String(value);
    case 'object':
      return value === null ? 'None' : container(value, depth);
    default:
      return 'None';
  }
}

function container(value: object, depth: number): string {
  if (Array.isArray(value)) {
    if (depth >= maxDepth) return '[...]';
    const items = value.slice(0, maxItems).map((item) => repr(item, depth + 1));
    return `[${[...items, ...(value.length > maxItems ? ['...'] : [])].join(', ')}]`;
  }
  if (value instanceof Date || value instanceof Uint8Array) return `<${value.constructor.name}>`;
  if (depth >= maxDepth) return '{...}';
  const entries = Object.entries(value).slice(0, maxItems);
  return `{${entries.map(([key, item]) => `${quoted(key)}: ${repr(item, depth + 1)}`).join(', ')}}`;
}

function quoted(text: string): string {
  const short = text.length > maxLength ? text.slice(0, maxLength) : text;
  const inner = short.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');
  return inner.includes("'") && !inner.includes('"') ? `"${inner}"` : `'${inner.replaceAll("'", "\\'")}'`;
}
