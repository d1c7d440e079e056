/** Operations whose result others trust: https://docs.aws.amazon.com/kms/latest/developerguide/symmetric-asymmetric.html */
export const SIGNING: ReadonlySet<string> = new Set(['Sign', 'GenerateMac', 'DeriveSharedSecret']);
