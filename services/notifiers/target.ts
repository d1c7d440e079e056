/** Settings of receivers that are reached over HTTP. */
import { z } from 'zod';

/** How far an address may reach; the same for every kind. */
export const reachShape = {
  allow_private: z.boolean().default(false).meta({
    description: 'Lets requests go to private, loopback and link-local addresses.',
  }),
  allow_http: z.boolean().default(false).meta({ description: 'Lets requests go without TLS.' }),
  timeout_seconds: z.int().min(1).max(60).default(15).meta({ description: 'Longest time that one request may take.' }),
};

export interface Reach {
  readonly allow_private: boolean;
  readonly allow_http: boolean;
  readonly timeout_seconds: number;
}

/** Which URLs a person would want to write; whether they may be requested is decided when they are. */
export const httpUrl = z
  .string()
  .max(2000)
  .regex(/^https?:\/\/[^\s/@]+(\/\S*)?$/, 'must be a URL of https, without user name and password');

export const roleArn = z.string().regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/, 'must be the ARN of an IAM role');

/** For receivers in AWS. */
export const roleShape = {
  role_arn: roleArn.optional().meta({ description: "Role to assume. Without it the process's own credentials are used." }),
  external_id: z.string().min(2).max(1224).optional().meta({ description: 'External id that the role asks for.' }),
};

export interface RoleFields {
  readonly role_arn?: string | undefined;
  readonly external_id?: string | undefined;
}
