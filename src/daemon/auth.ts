/** Judges credentials for one link. */
export interface Auth {
  /** What is wrong with its files, as one sentence, or null: while it is not null nobody is admitted. */
  readonly problem: string | null;
  /** Settles when the files were read for the first time. */
  readonly ready: Promise<void>;
  close(): void;
}
