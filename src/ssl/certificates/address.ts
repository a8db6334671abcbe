import { isIPv4 } from 'node:net';

/** The bytes of an IP address, in network order: 4 or 16. The text must be an address. */
export function addressBytes(address: string): Buffer {
  return isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : v6Bytes(address);
}

function v6Bytes(address: string): Buffer {
  const [head = '', tail] = withoutZone(address).split('::');
  const before = words(head);
  const after = tail === undefined ? [] : words(tail);
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  const bytes = Buffer.alloc(16);
  for (const [index, word] of all.entries()) bytes.writeUInt16BE(word, index * 2);
  return bytes;
}

function words(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((word) => {
    if (!word.includes('.')) return [Number.parseInt(word, 16)];
    const v4 = addressBytes(word);
    return [v4.readUInt16BE(0), v4.readUInt16BE(2)];
  });
}

function withoutZone(address: string): string {
  return address.replace(/%.*$/, '');
}
