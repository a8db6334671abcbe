import { loadavg, uptime } from 'node:os';
import type { ControlTarget } from './target.ts';

/** The answer to `stats`, in the shape that Celery's command line and Flower read. */
export function stats(target: ControlTarget): object {
  const { app, settings, dispatcher, lamport } = target;
  return {
    total: Object.fromEntries(dispatcher.totals),
    pid: process.pid,
    clock: String(lamport.value),
    uptime: Math.round(process.uptime()),
    pool: {
      implementation: `simul:${settings.pool}`,
      'max-concurrency': settings.concurrency,
      processes: [process.pid],
      'max-tasks-per-child': 'N/A',
      'put-guarded-by-semaphore': false,
      timeouts: [0, 0],
    },
    broker: brokerInfo(app.brokerUrl),
    prefetch_count: settings.concurrency * settings.prefetch,
    rusage: resourceUsage(),
  };
}

/** Seconds on the scale that Python's monotonic clock has on Linux and macOS: since the machine started. */
export function machineClock(): number {
  return uptime();
}

export function loadAverages(): number[] {
  return loadavg().map((load) => Math.round(load * 100) / 100);
}

// Never the password; the user only where a Python worker would tell it too.
function brokerInfo(url: string): object {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  return {
    transport: (parsed?.protocol ?? url.replace(/:.*/s, '')).replace(/:$/, ''),
    hostname: parsed?.hostname || null,
    port: parsed === undefined || parsed.port === '' ? null : Number(parsed.port),
    userid: parsed?.username || null,
    virtual_host: parsed?.pathname.slice(1) || '0',
    ssl: parsed?.protocol === 'rediss:' || parsed?.protocol === 'amqps:',
    insist: false,
    connect_timeout: 4,
    transport_options: {},
    login_method: null,
    uri_prefix: null,
    heartbeat: 0,
    failover_strategy: 'round-robin',
    alternates: [],
  };
}

function resourceUsage(): object {
  const usage = process.resourceUsage();
  return {
    utime: usage.userCPUTime / 1e6,
    stime: usage.systemCPUTime / 1e6,
    maxrss: usage.maxRSS,
    ixrss: usage.sharedMemorySize,
    idrss: usage.unsharedDataSize,
    isrss: usage.unsharedStackSize,
    minflt: usage.minorPageFault,
    majflt: usage.majorPageFault,
    nswap: usage.swappedOut,
    inblock: usage.fsRead,
    oublock: usage.fsWrite,
    msgsnd: usage.ipcSent,
    msgrcv: usage.ipcReceived,
    nsignals: usage.signalsCount,
    nvcsw: usage.voluntaryContextSwitches,
    nivcsw: usage.involuntaryContextSwitches,
  };
}
