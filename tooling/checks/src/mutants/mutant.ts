/** One repair, switched off: the test named here must notice. */
export interface Mutant {
  /** The defect that comes back: `D1`. */
  readonly name: string;
  /** The file to change, relative to the root. */
  readonly file: string;
  /** Text that is in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  readonly test: {
    /** The test file, relative to the root. */
    readonly file: string;
    /** The title of one test in it, as written there. */
    readonly title: string;
  };
}

/** The text of `mutant.file` with the repair switched off. */
export function mutate(text: string, mutant: Pick<Mutant, "name" | "file" | "find" | "replace">): string {
  const first = text.indexOf(mutant.find);
  if (first === -1) throw new Error(`Mutant ${mutant.name}: ${mutant.file} does not have its text any more`);
  if (text.indexOf(mutant.find, first + 1) !== -1) {
    throw new Error(`Mutant ${mutant.name}: ${mutant.file} has its text more than once`);
  }
  return text.slice(0, first) + mutant.replace + text.slice(first + mutant.find.length);
}
