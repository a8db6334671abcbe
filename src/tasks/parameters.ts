/**
 * The arguments of a call as the function takes them: keyword arguments go to the parameters of their names, and are
 * passed as a last object where a name does not fit, which is how JavaScript has named arguments.
 */
export function bindArguments(
  names: readonly string[],
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
): unknown[] {
  const keys = Object.keys(kwargs);
  if (keys.length === 0) return [...args];
  const positions = keys.map((key) => names.indexOf(key));
  const twice = keys.find((_, i) => positions[i]! >= 0 && positions[i]! < args.length);
  if (twice !== undefined) throw new TypeError(`got multiple values for argument '${twice}'`);
  if (positions.includes(-1)) return [...args, { ...kwargs }];
  const bound = [...args];
  keys.forEach((key, i) => (bound[positions[i]!] = kwargs[key]));
  return Array.from(bound);
}

/**
 * The names of a function's parameters, read from its source up to the first that has none (a pattern, a rest).
 * Minifiers rename parameters: such code declares them with `params`.
 */
export function parameterNames(fn: (...args: never[]) => unknown): string[] {
  const source = Function.prototype.toString
    .call(fn)
    .replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '')
    .trim();
  const single = /^(?:async\s+)?([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*=>/u.exec(source);
  if (single !== null) return [single[1]!];
  const open = source.indexOf('(');
  if (open < 0) return [];
  const names: string[] = [];
  for (const part of splitTopLevel(source.slice(open + 1))) {
    const name = /^\s*([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*(?:=|$)/u.exec(part);
    if (name === null) break;
    names.push(name[1]!);
  }
  return names;
}

/** The parts between top-level commas, up to the closing parenthesis. */
function splitTopLevel(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '"' || c === "'" || c === '`') i = endOfQuote(text, i);
    else if ('([{'.includes(c)) depth++;
    else if (depth === 0 && (c === ')' || c === ',')) {
      parts.push(text.slice(start, i));
      start = i + 1;
      if (c === ')') break;
    } else if (')]}'.includes(c)) depth--;
  }
  return parts;
}

function endOfQuote(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === text[from]) return i;
  }
  return text.length;
}
