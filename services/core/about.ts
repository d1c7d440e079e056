/** What a record of another service is about, before it is read closely. */
export interface About {
  readonly service: string;
  readonly operation: string;
  /** Account and Region of the record; null where it does not say. */
  readonly account: string | null;
  readonly region: string | null;
  /** Bucket, queue's URL, name of a rule or role, as the request has it; null where it names none. */
  readonly resource: string | null;
  /** S3: the object's key. */
  readonly part: string | null;
}
