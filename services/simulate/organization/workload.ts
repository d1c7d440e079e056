import { HOUR } from '../../core/clock.ts';
import { roleCaller, via } from '../callers.ts';
import type { Caller } from '../record.ts';
import type { World } from '../world.ts';
import type { Workload } from './contract.ts';

export interface WorkloadPlan {
  readonly account: string;
  readonly role: string;
  readonly path?: string;
  readonly through: string | null;
  readonly agent: string;
  /** How its sessions are called: after the EC2 instance, the container task, or always the same text. */
  readonly runsOn: 'instances' | 'tasks' | { readonly session: string };
  /** VPC endpoint that it calls through; without, it calls from the account's NAT address. */
  readonly endpoint: string | null;
  readonly nat: string;
}

const CREDENTIALS = 6 * HOUR;
const KEPT = 48;

/**
 * A role whose instances come and go: each lives for some hours to days, new ones have new names and addresses, there
 * are more of them at the busy hours of the day, and their credentials are renewed every six hours.
 */
export function workloadOf(world: World, plan: WorkloadPlan): Workload {
  const label = `${plan.account}/${plan.role}`;
  const draw = Number.parseInt(world.stableHex(6, `fleet/${label}`), 16);
  const life = (8 + (draw % 65)) * HOUR;
  const phase = draw % life;
  const copies = 2 + (draw % 3);
  const sessions = new Map<string, { direct: Caller; caller: Caller }>();

  const sessionAt = (time: number): { direct: Caller; caller: Caller } => {
    const hour = new Date(time).getUTCHours();
    const copy = Math.floor(time / 1000) % (copies + (hour >= 14 && hour < 22 ? 2 : 0));
    const generation = Math.floor((time - phase - copy * HOUR) / life);
    const renewed = Math.floor((time - phase) / CREDENTIALS);
    const name = `${generation}/${copy}/${renewed}`;
    const known = sessions.get(name);
    if (known) return known;
    if (sessions.size >= KEPT) sessions.clear();
    const born = generation * life + phase + copy * HOUR;
    const direct = roleCaller(world, roleOf(plan), {
      session: sessionName(world, plan, `${label}/${generation}/${copy}`),
      since: Math.max(born, renewed * CREDENTIALS + phase),
      from: plan.endpoint === null ? plan.nat : `10.${draw % 200}.${copy + 11}.${10 + (Math.abs(generation) % 200)}`,
      agent: plan.agent,
      ...(plan.endpoint === null ? {} : { endpoint: plan.endpoint }),
      ...(plan.runsOn === 'instances' ? { ec2: true } : {}),
    });
    const made = { direct, caller: plan.through === null ? direct : via(direct, plan.through) };
    sessions.set(name, made);
    return made;
  };

  return {
    account: plan.account,
    role: plan.role,
    through: plan.through,
    caller: (time) => sessionAt(time).caller,
    direct: (time) => sessionAt(time).direct,
  };
}

function roleOf(plan: WorkloadPlan): { account: string; name: string; path?: string } {
  return { account: plan.account, name: plan.role, ...(plan.path === undefined ? {} : { path: plan.path }) };
}

function sessionName(world: World, plan: WorkloadPlan, label: string): string {
  if (plan.runsOn === 'instances') return `i-0${world.stableHex(16, label)}`;
  return plan.runsOn === 'tasks' ? world.stableHex(32, label) : plan.runsOn.session;
}
