import type { KeyObject } from 'node:crypto';
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { InvalidArgumentError } from '../../base/errors.ts';

/** Kinds of keys that can be made. */
export const keyTypes = ['P-256', 'P-384', 'RSA-2048', 'RSA-3072', 'RSA-4096'] as const;

/** A kind of key: elliptic curves, fast and short, or RSA for what is old. */
export type KeyType = (typeof keyTypes)[number];

/** Makes a private key. */
export async function makeKey(type: KeyType): Promise<KeyObject> {
  if (!keyTypes.includes(type)) throw new InvalidArgumentError('keyType', type, keyTypes.join(', '));
  const [family, size] = type.split('-');
  const pair =
    family === 'RSA'
      ? await generate('rsa', { modulusLength: Number(size) })
      : await generate('ec', { namedCurve: type });
  return pair.privateKey;
}

const generate = promisify(generateKeyPair);
