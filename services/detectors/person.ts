import type { Actor } from '../core/event.ts';

const PEOPLE: Partial<Record<Actor['type'], string>> = {
  root: 'the root user',
  'iam-user': 'an IAM user with long-lived credentials',
  'identity-center': 'a person signed in through Identity Center',
  saml: 'a person signed in through SAML',
  'federated-user': 'a federated user',
};

/**
 * What makes an actor a person rather than a program, in words; null when nothing does. Sessions of Identity Center act under
 * a reserved role and are told by its name: https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html
 */
export function personOf(actor: Actor): string | null {
  if (actor.type === 'role') return actor.name.startsWith('AWSReservedSSO_') ? 'a person signed in through Identity Center' : null;
  return PEOPLE[actor.type] ?? null;
}
