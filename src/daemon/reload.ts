import type { Problem } from "../config/problem.ts";
import { Failure } from "../core/errors.ts";

/** The file that a daemon was to start from is missing or refused (exit 2). */
export class BadFile extends Failure {
  constructor(message: string, readonly problems: readonly Problem[], cause?: unknown) {
    super(message, { permanent: true, ...(cause === undefined ? {} : { cause }) });
  }
}
