import { DAY } from '../../core/clock.ts';
import { workMoment } from '../instants.ts';
import { Random } from '../random.ts';
import type { OrgPerson } from './contract.ts';
import type { Estate } from './organization.ts';
import { mailOf, personOf } from './people.ts';

/** New engineers: about one a month for every 25 accounts, each in a team with whose accounts they begin. */
export function beginners(estate: Estate): { readonly person: OrgPerson; readonly joins: number }[] {
  const random = new Random(`${estate.seed}/beginners`);
  const days = (estate.end - estate.start) / DAY;
  const count = random.poisson((estate.accounts.length / 25) * (days / 30));
  return Array.from({ length: count }, (_, at) => {
    const { plan } = random.pick(estate.accounts.slice(1));
    const accounts = estate.accounts.filter((household) => household.plan.team === plan.team).map(({ id }) => id);
    const person = personOf(estate.world, { mail: mailOf(estate.people.length + at), permissions: 'Developer', accounts });
    return { person, joins: workMoment(estate.end, random.int(1, days - 1 || 1), { hour: 9, minute: 30, offset: person.offset }) };
  });
}
