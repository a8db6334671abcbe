import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { repository } from '../../tools/tree.ts';

let folder = '';
before(() => (folder = mkdtempSync(join(tmpdir(), 'inspect-'))));
after(() => rmSync(folder, { recursive: true, force: true }));

function simul(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const command = [join(repository, 'dist/src/cli/main.js'), ...args];
  return spawnSync(process.execPath, command, { cwd: folder, encoding: 'utf8' });
}

describe('simul inspect', () => {
  it('says that the embedded broker carries no remote control', () => {
    const { status, stderr } = simul('inspect', 'ping', '-b', 'sqlite://queue.db');
    assert.equal(status, 1);
    assert.match(stderr, /^simul: this broker carries no remote control; memory:\/\/ and redis:\/\/ do\n$/);
  });

  it('names what can be asked', () => {
    const { status, stderr } = simul('inspect', 'everything');
    assert.equal(status, 2);
    assert.match(stderr, /ping, registered, active/);
  });

  it('says that nobody has answered', () => {
    const { status, stderr } = simul('inspect', 'ping', '-b', 'memory://', '-t', '0.01');
    assert.equal(status, 1);
    assert.equal(stderr, 'simul: no worker answered within 0.01 s\n');
  });

  it('names each worker that was to answer and did not', () => {
    const { status, stdout, stderr } = simul('inspect', 'ping', '-b', 'memory://', '-t', '0.01', '-d', 'a@x,b@x');
    assert.equal(status, 1);
    assert.equal(stderr, 'simul: no answer, or a refusal: a@x, b@x\n');
    assert.match(
      stdout,
      /^a@x: ERROR no answer within 0.01 s\nb@x: ERROR no answer within 0.01 s\n\n0 workers answered\n$/,
    );
  });

  it('tells its exit codes and questions', () => {
    const { status, stdout } = simul('inspect', '--help');
    assert.equal(status, 0);
    assert.match(stdout, /Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 /);
    assert.match(stdout, /query_task +where the tasks of these ids are/);
  });
});
