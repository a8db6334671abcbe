import { hostname } from 'node:os';
import { uuid } from '../base/ids.ts';

/** `origin` of what this process sends, as Celery's clients write it. */
export const origin = `gen${process.pid}@${hostname()}`;

/** The reply address of this process (kombu's OID): only its uniqueness matters. */
export const replyAddress = uuid();

/** A worker's node name: `%h` stands for the host, `%n` for the name and `%d` for the domain, as in Celery. */
export function nodeName(name: string | undefined): string {
  const host = hostname();
  const dot = host.indexOf('.');
  const [short, domain] = dot < 0 ? [host, ''] : [host.slice(0, dot), host.slice(dot + 1)];
  const full = name === undefined || name === '' ? 'celery@%h' : name.includes('@') ? name : `${name}@%h`;
  return full.replaceAll('%h', host).replaceAll('%n', short).replaceAll('%d', domain);
}
