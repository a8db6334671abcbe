import { fileURLToPath } from 'node:url';

const own = new URL('../', import.meta.url);
const frame = /^\s+at /;

/** A stack without the frames of Node and of this package, in which nobody can change anything. */
export function userStack(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => !frame.test(line) || isUsers(line))
    .join('\n');
}

/** Where the user's own code stands highest in a stack, as `file:line:column`. */
export function userPlace(stack: string): string | undefined {
  const line = stack.split('\n').find((one) => frame.test(one) && isUsers(one));
  return line?.replace(/^\s+at (?:async )?(?:.* \()?/, '').replace(/\)$/, '');
}

function isUsers(line: string): boolean {
  if (/\bnode:|\(?<anonymous>\)?$|\(native\)|\/node_modules\/simul\//.test(line)) return false;
  return !line.includes(own.href) && !line.includes(fileURLToPath(own));
}
