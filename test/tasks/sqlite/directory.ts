import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory of its own for a test. */
export class Directory implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'simul-sqlite-'));

  get database(): string {
    return join(this.path, 'queue.db');
  }

  get url(): string {
    return `sqlite://${this.database}`;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}
