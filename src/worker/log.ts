import { InvalidArgumentError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import type { TaskLogger } from '../tasks/context.ts';

export const logLevels = ['debug', 'info', 'warning', 'error', 'critical'] as const;
/** Celery's names of the levels. */
export type LogLevel = (typeof logLevels)[number];

export interface LogOptions {
  readonly level: LogLevel;
  /** One JSON object a line instead of a line for people. */
  readonly json?: boolean;
  /** Where lines go (standard error). */
  readonly write?: (line: string) => void;
}

export interface Log extends TaskLogger {
  /** Whether a level is written at all; lets hot paths build no lines for nothing. */
  enabled(level: LogLevel): boolean;
}

/** The worker's log. `pino` is loaded when a log is made, so that programs that only send tasks never load it. */
export async function openLog(options: LogOptions): Promise<Log> {
  if (!logLevels.includes(options.level))
    throw new InvalidArgumentError('loglevel', options.level, `one of ${logLevels.join(', ')}`);
  const { pino } = await import('pino');
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const stream = { write: options.json === true ? write : (line: string) => write(forPeople(line)) };
  const logger = pino(
    { level: pinoLevels[options.level], base: null, timestamp: pino.stdTimeFunctions.isoTime },
    stream,
  );
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: object) =>
    fields === undefined ? logger[level](message) : logger[level](fields, message);
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    enabled: (level) => logger.isLevelEnabled(pinoLevels[level]),
  };
}

const pinoLevels = { debug: 'debug', info: 'info', warning: 'warn', error: 'error', critical: 'fatal' } as const;
const levelNames: Record<number, string> = { 20: 'DEBUG', 30: 'INFO', 40: 'WARNING', 50: 'ERROR', 60: 'CRITICAL' };

function forPeople(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as { level: number; time: string; msg: string };
  const data = Object.entries(fields).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `[${time}: ${levelNames[level] ?? level}] ${printable(`${msg}${data.join('')}`)}\n`;
}
