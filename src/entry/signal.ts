export { getsignal, signal } from '../signal/handlers.ts';
export type { SignalAction, SignalHandler } from '../signal/handlers.ts';
export { SIG_DFL, SIG_IGN, signalName, Signals, strsignal, validSignals } from '../signal/names.ts';
export { raiseSignal } from '../signal/raise.ts';
export { alarm, getitimer, ITIMER_PROF, ITIMER_REAL, ITIMER_VIRTUAL, setitimer } from '../signal/timers.ts';
export { pause, sigwait } from '../signal/wait.ts';
export { kill, killpg } from '../os/process-ids.ts';
export { pidfdSendSignal } from '../os/pidfd.ts';
