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

/** Where the user's own code stands highest in a stack, as `file:line:column`; libraries are not the user's own. */
export function userPlace(stack: string): string | undefined {
  // Node puts the place of a faulty import above the message.
  const [first = '', ...lines] = stack.split('\n');
  if (/^file:\S+:\d+$/.test(first)) return first;
  const line = lines.find((one) => frame.test(one) && isUsers(one) && !one.includes('/node_modules/'));
  return line?.replace(/^\s+at (?:async )?(?:.* \()?/, '').replace(/\)$/, '');
}

function isUsers(line: string): boolean {
  if (/\bnode:|<anonymous>\)?$|\(native\)$|\/node_modules\/(?:simul|commander)\//.test(line)) return false;
  return !line.includes(own.href) && !line.includes(fileURLToPath(own));
}
