import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { ConnectionError } from '../base/errors.ts';
import type { FramedConnection } from '../ipc/framed-connection.ts';

const challengeBytes = 32;
const welcome = '#WELCOME#';
const failure = '#FAILURE#';
const patience = { timeout: 20 };

/** Makes the other side prove that it knows the key, without the key on the wire. ConnectionError if it does not. */
export async function deliverChallenge(connection: FramedConnection, authkey: Uint8Array): Promise<void> {
  const challenge = randomBytes(challengeBytes);
  await connection.sendBytes(challenge);
  const digest = await connection.receive(patience);
  const expected = digestOf(challenge, authkey);
  const right = digest.length === expected.length && timingSafeEqual(digest, expected);
  await connection.sendBytes(Buffer.from(right ? welcome : failure));
  if (!right) throw new ConnectionError('the other side has another authkey', { permanent: true });
}

/** Proves to the other side that we know the key. ConnectionError if it does not agree. */
export async function answerChallenge(connection: FramedConnection, authkey: Uint8Array): Promise<void> {
  const challenge = await connection.receive(patience);
  if (challenge.length !== challengeBytes) throw new ConnectionError('the other side is no Listener with an authkey');
  await connection.sendBytes(digestOf(challenge, authkey));
  const answer = await connection.receive(patience);
  if (answer.toString() !== welcome) throw new ConnectionError('the authkey was refused', { permanent: true });
}

function digestOf(challenge: Uint8Array, authkey: Uint8Array): Buffer {
  return createHmac('sha256', authkey).update(challenge).digest();
}
