/** Why a rule is not loaded, and where in its document: the place is turned into a line by who knows the text. */
export class Refusal extends Error {
  readonly path: readonly (string | number)[];

  constructor(path: readonly (string | number)[], reason: string) {
    super(reason);
    this.path = path;
  }
}
