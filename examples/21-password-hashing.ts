// Passwords hashed on threads, with a bound on what waits and a time limit for each. Run: node dist/examples/21-password-hashing.js
import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import { FullError } from 'simul/errors';
import { isWorker, portable } from 'simul/callable';
import { ThreadPoolExecutor } from 'simul/futures';

// The synchronous hash on purpose: on a thread of its own it holds up nobody, and Node's four threads stay free for files.
export const hash = portable(import.meta, 'hash', (password: string): string => {
  const salt = randomBytes(16);
  return `${salt.toString('hex')}:${scryptSync(password, salt, 32, { N: 1024 }).toString('hex')}`;
});

export const verify = portable(import.meta, 'verify', (password: string, stored: string): boolean => {
  const [salt, key] = stored.split(':').map((part) => Buffer.from(part, 'hex')) as [Buffer, Buffer];
  return timingSafeEqual(scryptSync(password, salt, 32, { N: 1024 }), key);
});

if (!isWorker()) await main();

async function main(): Promise<void> {
  await using pool = new ThreadPoolExecutor({ maxWorkers: 2, maxQueue: 10, timeout: 10 });
  const stored = await pool.submit(hash, 'correct horse');
  console.log('right password:', await pool.submit(verify, 'correct horse', stored));
  console.log('wrong password:', await pool.submit(verify, 'battery staple', stored));

  // A flood: what the pool cannot take is refused at once instead of growing a queue without end.
  let refused = 0;
  const taken = Array.from({ length: 50 }, (_, i) => {
    try {
      return pool.submit(hash, `password ${i}`);
    } catch (error) {
      if (!(error instanceof FullError)) throw error;
      refused++;
      return undefined;
    }
  });
  const hashes = await Promise.all(taken.filter((future) => future !== undefined));
  console.log('hashed:', hashes.length, 'refused:', refused);
}
