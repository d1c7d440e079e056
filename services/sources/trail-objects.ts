/** Log files in the bucket of a trail: what they are called, and how they are read. */
export { type BucketAccess, type Buckets, createBuckets, OWN_ACCESS } from './s3-trail/buckets.ts';
export type { S3TrailQueue } from './s3-trail/config.ts';
export { type ListedObject, listFolders, listPages } from './s3-trail/list-objects.ts';
export { type TrailObject, toLocator } from './s3-trail/locator.ts';
export { classifyKey, holdsRecords } from './s3-trail/object-key.ts';
export { ObjectGone, readObject } from './s3-trail/read-object.ts';
export { isReadWhole } from './s3-trail/whole.ts';
