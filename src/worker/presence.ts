import { messageOf } from '../base/error-text.ts';
import type { ResourceStack } from '../base/dispose.ts';
import { LamportClock } from '../tasks/control/lamport-clock.ts';
import type { Broker } from '../tasks/broker.ts';
import { Control } from './control.ts';
import { commandsOf } from './control/commands.ts';
import type { ControlTarget } from './control/target.ts';
import { Heartbeat } from './heartbeat.ts';
import type { Log } from './log.ts';

/**
 * Makes a worker heard of in its fleet: remote commands and heartbeats, where the broker carries them. A worker that
 * cannot have them (a Redis user without the right to subscribe, say) works all the same.
 */
export async function joinFleet(
  broker: Broker,
  target: Omit<ControlTarget, 'lamport' | 'beat'>,
  resources: ResourceStack,
  log: Log,
): Promise<void> {
  const { fanout } = broker;
  const { remoteControl, heartbeatInterval: interval, hostname } = target.settings;
  if (fanout === undefined) return;
  const lamport = new LamportClock();
  const { dispatcher, clock } = target;
  const heartbeat =
    interval === 0 ? undefined : new Heartbeat({ fanout, hostname, interval, clock, lamport, dispatcher, log });
  if (heartbeat !== undefined) resources.own(heartbeat, (it) => it.stop());
  if (remoteControl) {
    const commands = commandsOf({ ...target, lamport, beat: () => heartbeat?.beat() });
    const control = resources.own(new Control({ fanout, hostname, clock: lamport, commands, log }), (it) => it.stop());
    try {
      await control.start();
    } catch (error) {
      log.warn(`no remote control: ${messageOf(error)}`);
    }
  }
  heartbeat?.start();
}
