export function f(): void {}

throw new Error('thrown at import');
