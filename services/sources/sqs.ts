/** Queues of SQS as the way by which sources hear of something. */
export type { Claim, Part } from './sqs/claim.ts';
export { queueName } from './sqs-config.ts';
export { connectQueue, placeOf, type QueueConnection } from './sqs/connection.ts';
export { Consumer } from './sqs/consumer.ts';
export type { OnQueueEvent, QueueEvent } from './sqs/events.ts';
export { inspectQueue, type QueueStanding } from './sqs/inspect.ts';
export { Poison } from './sqs/poison.ts';
export { quarantineDelivery } from './sqs/quarantine.ts';
export { tellQueueEvents } from './sqs/tell.ts';
export { type Deliver, type DeliverContext, runQueues } from './sqs/run.ts';
