/** The worker in which passwords are verified: a hundred milliseconds each, off the thread that serves. */
import { compareSync } from "bcryptjs";

/** What is asked of the worker, and what it answers. */
export interface BcryptQuestion {
  readonly id: number;
  readonly password: string;
  readonly hash: string;
}
export interface BcryptAnswer {
  readonly id: number;
  readonly right: boolean;
}

/** The part of a worker's global scope that is used here; the DOM types that declare it are not loaded. */
const scope = self as unknown as {
  onmessage: ((event: MessageEvent<BcryptQuestion>) => void) | null;
  postMessage(answer: BcryptAnswer): void;
};

scope.onmessage = ({ data: { id, password, hash } }) => {
  scope.postMessage({ id, right: compareSync(password, hash) });
};
