/** A member of a JSON object within a text: its key, and where its value stands. */
export interface Member {
  readonly key: string;
  readonly start: number;
  readonly end: number;
}

/** The members of the object that begins at `at`; undefined if no well-formed object does. */
export function objectMembers(text: string, at = 0): Member[] | undefined {
  const members: Member[] = [];
  let i = skipSpace(text, at);
  if (text[i] !== '{') return undefined;
  i = skipSpace(text, i + 1);
  if (text[i] === '}') return members;
  for (;;) {
    const colon = endOfValue(text, i);
    if (text[i] !== '"' || colon < 0) return undefined;
    const start = skipSpace(text, skipSpace(text, colon) + 1);
    const end = endOfValue(text, start);
    if (end < 0) return undefined;
    members.push({ key: JSON.parse(text.slice(i, colon)) as string, start, end });
    i = skipSpace(text, end);
    if (text[i] === '}') return members;
    if (text[i] !== ',') return undefined;
    i = skipSpace(text, i + 1);
  }
}

/** The text with a member of the object at `at` set to `json`; the rest stays as it is, to the byte. */
export function setMember(text: string, at: number, key: string, json: string): string {
  const members = objectMembers(text, at);
  if (members === undefined) return text;
  const old = members.findLast((member) => member.key === key);
  if (old !== undefined) return text.slice(0, old.start) + json + text.slice(old.end);
  const open = skipSpace(text, at) + 1;
  return `${text.slice(0, open)}${JSON.stringify(key)}: ${json}${members.length === 0 ? '' : ', '}${text.slice(open)}`;
}

/** Where the value that begins at `at` ends; -1 if none does. */
export function endOfValue(text: string, at: number): number {
  const c = text[at];
  if (c === '"') return endOfString(text, at);
  if (c === '{' || c === '[') return endOfNested(text, at);
  const scalar = /[^\s,\]}:]+/y;
  scalar.lastIndex = at;
  return scalar.test(text) ? scalar.lastIndex : -1;
}

function endOfString(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    const c = text[i];
    if (c === '\\') i++;
    else if (c === '"') return i + 1;
  }
  return -1;
}

function endOfNested(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    const c = text[i];
    if (c === '"') {
      i = endOfString(text, i) - 1;
      if (i < 0) return -1;
    } else if (c === '{' || c === '[') depth++;
    else if ((c === '}' || c === ']') && --depth === 0) return i + 1;
  }
  return -1;
}

function skipSpace(text: string, at: number): number {
  let i = at;
  while (text[i] === ' ' || text[i] === '\n' || text[i] === '\t' || text[i] === '\r') i++;
  return i;
}
