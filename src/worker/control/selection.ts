import { DecodeError } from '../../base/errors.ts';
import type { ControlRequest } from '../../tasks/control/request.ts';

/** Whether a request is for this node: named, or fitted by the pattern, or for all. Throws DecodeError. */
export function selects(request: ControlRequest, hostname: string): boolean {
  const { destination, pattern, matcher } = request;
  if (destination !== undefined) return destination.includes(hostname);
  if (pattern === undefined) return true;
  if (matcher === 'pcre') return expression(`^(?:${pattern})`).test(hostname);
  if (matcher === undefined || matcher === 'glob') return glob(pattern).test(hostname);
  throw new DecodeError(`the matcher ${JSON.stringify(matcher)} is not known`);
}

/** Shell wildcards as Python's fnmatch reads them. */
function glob(pattern: string): RegExp {
  const source = pattern.replaceAll(/\*|\?|\[!?\]?[^\]]*\]|[\s\S]/g, (part) => {
    if (part === '*') return '[\\s\\S]*';
    if (part === '?') return '[\\s\\S]';
    if (part.length > 1) return `[${part.slice(1, -1).replace(/^!/, '^').replaceAll('\\', '\\\\')}]`;
    return part.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');
  });
  return expression(`^${source}$`);
}

function expression(source: string): RegExp {
  if (source.length > 500) throw new DecodeError('the pattern is too long');
  try {
    return new RegExp(source);
  } catch (cause) {
    throw new DecodeError(`the pattern ${JSON.stringify(source)} cannot be read`, { cause });
  }
}
