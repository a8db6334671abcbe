// Visits every page of a site once, with eight visitors at a time; the site is served by the program itself.
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Queue, run, TaskGroup, timeout } from 'simul/asyncio';

const pages = 60;
const visitors = 8;

const server = createServer((request, response) => {
  const page = Number(request.url!.slice(1) || 0);
  const links = [2 * page + 1, 2 * page + 2, page + 7].filter((next) => next < pages);
  response.end(links.map((next) => `<a href="/${next}">page ${next}</a>`).join('\n'));
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const visited = await run(() => crawl(`${site}/`));
console.log(`visited ${visited.size} pages`);
server.close();
server.closeAllConnections();
if (visited.size !== pages) throw new Error('pages are missing');

async function crawl(start: string): Promise<Set<string>> {
  const seen = new Set([new URL(start).href]);
  const todo = new Queue<string>();
  todo.putNowait(start);
  await TaskGroup.run(async (group) => {
    for (let i = 0; i < visitors; i++) group.createTask(() => visit(todo, seen), { name: `visitor ${i}` });
    await todo.join();
    todo.shutdown(); // ends the visitors
  });
  return new Set([...seen].map((url) => (url.endsWith('/') ? `${url}0` : url)));
}

async function visit(todo: Queue<string>, seen: Set<string>): Promise<void> {
  for await (const url of todo) {
    try {
      for (const link of await linksOf(url)) {
        if (seen.has(link)) continue;
        seen.add(link);
        todo.putNowait(link);
      }
    } finally {
      todo.taskDone();
    }
  }
}

/** A page that does not answer within five seconds is given up, connection included. */
async function linksOf(url: string): Promise<string[]> {
  const body = await timeout(5, async (signal) => (await fetch(url, { signal })).text());
  return [...body.matchAll(/href="([^"]+)"/g)].map(([, path]) => new URL(path!, url).href);
}
