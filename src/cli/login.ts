/** `connectd login`: a token of a hub, without anybody carrying one (RFC 8628). */
import { Failure } from "../core/errors.ts";
import { usualTokenFile } from "../daemon/state_dir.ts";
import { oneLine } from "../log.ts";
import { ApiClient, Refused, Unanswered } from "./client.ts";
import { oneOf } from "./log_flags.ts";
import { complain, out, outJson, relative } from "./print.ts";
import { qrText } from "../pages/qr.ts";
import {
  CA_FLAG,
  hubAddress,
  JSON_FLAG,
  makeState,
  readHubUrl,
  STATE_FLAG,
  stateOf,
  TOKEN_FLAG,
} from "./reach.ts";
import { checkSecretFile, writeSecretFile } from "./secret_file.ts";
import { coloured, whileWaiting } from "./terminal.ts";
import type { NewTokenJson } from "./tokens.ts";
import { type Given, on, orUsage, parsed, text, type Verb } from "./verb.ts";

const LOGIN_SCOPES = ["member", "daemon", "viewer"] as const;

export const login: Verb = {
  name: "login",
  words: "URL",
  count: [1, 1],
  summary:
    "Gets a token of a hub: shows a code, waits until somebody who is in approves it, and keeps the token.",
  more:
    "The token goes into `token` in the state directory (0600), where the daemon and the verbs look for it. There is\n" +
    "one such file: for a second hub name another with --token-file, and the same as the hub's token_file in links.yaml.",
  flags: [
    {
      ...{ name: "scope", value: "SCOPE", choices: LOGIN_SCOPES },
      help: "what to be let in as: member (default), daemon, viewer",
    },
    { ...TOKEN_FLAG, help: "the file to put the token into" },
    CA_FLAG,
    STATE_FLAG,
    { name: "qr", help: "print the URL as a QR code, for a phone" },
    { ...JSON_FLAG, help: "print the token's facts as JSON, without its secret" },
  ],
  async run(given) {
    const hub = orUsage("", () => readHubUrl(given.words[0]));
    const scope = parsed(given, "scope", (written) => oneOf(written, LOGIN_SCOPES)) ?? "member";
    const file = await fileOf(given);
    const api = new ApiClient({ origin: hub, caFile: (await hubAddress(given, hub)).caFile });
    const codes = await begin(api, scope);
    show(codes, on(given, "qr"));
    const token = await whileWaiting("waiting for approval", granted(api, codes));
    const kept = await writeSecretFile(file, token.token);
    report(hub, token, kept, on(given, "json"));
    warnOfOther(given, kept);
    return 0;
  },
};

/** What a hub answers to whoever wants in. */
interface Codes {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly verificationUri: string;
  readonly verificationUriComplete: string;
  /** Seconds. */
  readonly expiresIn: number;
  readonly interval: number;
}

/** It can be written: else somebody would approve in vain. */
async function fileOf(given: Given): Promise<string> {
  const named = text(given, "token-file"), state = stateOf(given);
  if (named === null) await makeState(state);
  const file = named ?? `${state}/token`;
  await checkSecretFile(file);
  return file;
}

async function begin(api: ApiClient, scope: string): Promise<Codes> {
  const hub = api.address.origin!;
  let codes: Partial<Record<keyof Codes, unknown>> | null;
  try {
    codes = await api.call("POST", "/v1/device", { scope });
  } catch (error) {
    if (error instanceof Unanswered) {
      throw new Failure(error.message, {
        hint: "see whether the hub runs and its address is right",
        cause: error,
      });
    }
    if (error instanceof Refused && error.problem.code === undefined) throw noHub(hub, error);
    throw error;
  }
  const { deviceCode, userCode, verificationUri, verificationUriComplete, expiresIn, interval } = codes ?? {};
  const texts = [deviceCode, userCode, verificationUri, verificationUriComplete];
  const good = texts.every((each) => typeof each === "string" && each !== "") &&
    [expiresIn, interval].every((each) => typeof each === "number" && each > 0);
  if (!good) throw noHub(hub);
  return codes as unknown as Codes;
}

function noHub(hub: string, cause?: unknown): Failure {
  return new Failure(`${hub} gives no codes for a login`, { hint: "is this the address of a hub?", cause });
}

function show({ userCode, verificationUri, verificationUriComplete }: Codes, qr: boolean): void {
  if (qr) complain(qrText(verificationUriComplete, coloured(Deno.stderr)));
  complain(`Open ${oneLine(verificationUriComplete)}`);
  complain(`or ${oneLine(verificationUri)}, where you are signed in, and type the code`);
  complain(`\n    ${oneLine(userCode)}\n`);
  complain("or have it approved where the hub runs: connectd token approve CODE");
}

/** A hub that asks for more patience than that is not obeyed. */
const SLOWEST_MS = 60_000;
const SLOWER_MS = 5_000;

/** Asks until there is an answer. Throws Failure where that is no token. */
async function granted(api: ApiClient, { deviceCode, expiresIn, interval }: Codes): Promise<NewTokenJson> {
  const endsAt = performance.now() + expiresIn * 1000;
  let pauseMs = interval * 1000;
  while (performance.now() < endsAt) {
    await new Promise((due) => setTimeout(due, Math.min(pauseMs, SLOWEST_MS)));
    try {
      const token: NewTokenJson = await api.call("POST", "/v1/device/token", { deviceCode });
      if (/^[\x21-\x7e]+$/.test(token?.token)) return token;
      throw noHub(api.address.origin!);
    } catch (error) {
      if (goesOn(error)) continue;
      if (!isSlower(error)) throw meaning(error);
      pauseMs += SLOWER_MS;
    }
  }
  throw new Failure("nobody approved it in time", { hint: "run it again" });
}

/** Nobody has said anything, or the hub is away for a moment. */
function goesOn(error: unknown): boolean {
  if (error instanceof Unanswered) return true;
  return error instanceof Refused && (error.problem.code === "authorization_pending" || error.status === 503);
}

function isSlower(error: unknown): boolean {
  return error instanceof Refused && (error.problem.code === "slow_down" || error.status === 429);
}

function meaning(error: unknown): unknown {
  const code = error instanceof Refused ? error.problem.code : undefined;
  if (code === "access_denied") return new Failure("it was denied", { permanent: true, cause: error });
  if (code === "expired_token") {
    return new Failure("the hub knows nothing of this login any more", {
      hint: "run it again",
      cause: error,
    });
  }
  return error;
}

function report(hub: string, granted: NewTokenJson, file: string, json: boolean): void {
  const { token: _secret, ...facts } = granted, { name, scope, workspace, expiresAt } = facts;
  if (json) return outJson({ hub, ...facts, file });
  const end = relative(expiresAt, Date.now());
  out(oneLine(`signed in to ${hub}, workspace ${workspace}, as ${name} (scope ${scope}, expires ${end})`));
  complain(`the token is in ${file}`);
}

/** A token that nobody looks at would be a riddle. */
function warnOfOther(given: Given, file: string): void {
  const usual = usualTokenFile(stateOf(given));
  if (text(given, "token-file") === null && usual !== file) {
    complain(`it is not used as things are: the environment names ${usual}, which goes before it`);
  }
}
