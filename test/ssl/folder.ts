import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program } from '../../tools/programs.ts';

/** A folder of a test's own for certificates. */
export class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'simul-ssl-'));

  at(name: string): string {
    return join(this.path, name);
  }

  write(name: string, data: string | Uint8Array): string {
    writeFileSync(this.at(name), data, { mode: 0o600 });
    return this.at(name);
  }

  /** Runs openssl in the folder; its output, or what it says of a failure. */
  openssl(...args: string[]): string {
    try {
      return execFileSync(program('openssl'), args, { cwd: this.path, encoding: 'utf8', stdio: 'pipe' });
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      return `failed: ${stdout}${stderr}`;
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
