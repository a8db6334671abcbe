import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ResourceStack } from '../../../src/base/dispose.ts';
import { uuid } from '../../../src/base/ids.ts';
import { openBackend, openBroker } from '../../../src/tasks/registry.ts';
import { loadSqlite } from '../../../src/tasks/sqlite/driver.ts';
import type { BackendLab } from '../../../src/testing/backend-conformance.ts';
import type { BrokerLab } from '../../../src/testing/broker-lab.ts';

/** A place for one behaviour, and what has to be released afterwards. */
export interface Place extends AsyncDisposable {
  readonly broker: BrokerLab;
  readonly backend: BackendLab;
}

export const places: Record<string, () => Place> = {
  memory: () => place(`memory://${uuid()}`, new ResourceStack()),
  sqlite: () => {
    const stack = new ResourceStack();
    const directory = mkdtempSync(join(tmpdir(), 'simul-conformance-'));
    stack.defer(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'queue.db');
    return place(`sqlite://${path}`, stack, async (queue, text) => putText(path, queue, text));
  },
};

function place(url: string, stack: ResourceStack, putText?: BrokerLab['putText']): Place {
  return {
    broker: {
      open: async () => stack.own(await openBroker(url), (broker) => broker.close()),
      ...(putText === undefined ? {} : { putText }),
    },
    backend: { open: async (options) => stack.own(await openBackend(url, options), (backend) => backend.close()) },
    [Symbol.asyncDispose]: () => stack.dispose(),
  };
}

/** As someone would with the `sqlite3` program. */
export function putText(path: string, queue: string, text: string): void {
  const db = loadSqlite().open(path);
  db.exec('PRAGMA busy_timeout = 5000; PRAGMA wal_autocheckpoint = 0; BEGIN IMMEDIATE');
  const [row] = db
    .prepare('INSERT INTO messages (id, text) SELECT 1000000 + count(*), ? FROM messages RETURNING id')
    .all([text]);
  db.prepare('INSERT INTO ready (queue, rank, id) VALUES (?, 9, ?)').run([queue, Number(row!['id'])]);
  db.exec('COMMIT');
  db.close();
}
