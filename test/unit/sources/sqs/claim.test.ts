import { expect, test } from 'vitest';
import { Claim, type Settlement } from '../../../../services/sources/sqs/claim.ts';

function claimed(): { claim: Claim; settlements: Settlement[] } {
  const settlements: Settlement[] = [];
  const claim = new Claim({ id: 'a', body: '', handle: 'h1', receives: 1 }, 0, async (_, settlement) => void settlements.push(settlement));
  return { claim, settlements };
}

test('a message is done when the last of its parts is, and not before all of them have been made', async () => {
  const { claim, settlements } = claimed();
  const [one, two] = [claim.part(), claim.part()];
  await one.ack();
  await one.ack();
  await two.ack();
  expect(settlements).toEqual([]);
  await claim.finish();
  expect(settlements).toEqual([{ done: true }]);
});

test('one part that failed brings the message back, once the others are settled', async () => {
  const { claim, settlements } = claimed();
  const [one, two] = [claim.part(), claim.part()];
  await claim.finish();
  await one.nack('no');
  expect(settlements).toEqual([]);
  await two.ack();
  expect(settlements).toEqual([{ done: false, reason: 'no', atOnce: false }]);
});

test('parts that nobody took bring it back at once', async () => {
  const { claim, settlements } = claimed();
  const part = claim.part();
  await claim.finish();
  await part.giveBack();
  expect(settlements).toEqual([{ done: false, reason: 'the process stops', atOnce: true }]);
});

test('the receipt of the last time counts', () => {
  const { claim } = claimed();
  claim.isLost = true;
  claim.renew({ id: 'a', body: '', handle: 'h2', receives: 2 }, 5);
  expect(claim).toMatchObject({ handle: 'h2', receives: 2, hiddenAt: 5, isLost: false });
});
