/** Logins from elsewhere in the API: begun by anybody, approved by who is in the workspace (RFC 8628). */
import { notFound, readObject, readOptionalObject, time } from "../api/call.ts";
import { object, type Schema } from "../api/documentation.ts";
import { ApiProblem, type BodyError } from "../api/problem.ts";
import { actorOf, type ApiContext, type Operation } from "./api_operation.ts";
import { NEW_TOKEN, TOKEN_WISH } from "./api_schemas.ts";
import { orConflict, printToken, readWish } from "./api_tokens.ts";
import type { Login } from "./devices.ts";
import type { HubState } from "./state.ts";
import { type Scope, SCOPES } from "./tokens.ts";
import type { TokenWish } from "./token_wish.ts";

/** Where people approve a login: a page of the dashboard. */
export const DEVICE_PAGE = "/device";

/** Who may say yes. */
const APPROVERS: readonly Scope[] = ["admin", "member"];

/** What a member can let others be: no more than it is itself. */
const BY_MEMBERS: readonly Scope[] = ["member", "viewer"];

/** What a login asks to be; more than that is given by an admin's own will alone. */
const ASKED: readonly Scope[] = ["member", "daemon", "viewer"];

const TEXT: Schema = { type: "string" };
const SECONDS: Schema = { type: "integer", minimum: 1 };
const MOMENT: Schema = { type: "string", format: "date-time" };

const CODES: Schema = {
  title: "LoginCodes",
  ...object({
    deviceCode: { ...TEXT, description: "For who asks alone: the token is given for it, once." },
    userCode: { ...TEXT, description: "For the person who approves." },
    verificationUri: TEXT,
    verificationUriComplete: TEXT,
    expiresIn: SECONDS,
    interval: { ...SECONDS, description: "Seconds between two calls of /v1/device/token." },
  }),
};

const LOGIN: Schema = {
  title: "Login",
  ...object({
    scope: { type: "string", enum: SCOPES },
    address: TEXT,
    software: { ...TEXT, description: "As it says of itself." },
    createdAt: MOMENT,
    expiresAt: MOMENT,
  }),
};

const USER_CODE: Schema = { type: "string", description: "With or without its dash, in any case." };

const APPROVAL: Schema = {
  title: "LoginApproval",
  ...object({
    userCode: USER_CODE,
    ...(TOKEN_WISH.properties as Record<string, Schema>),
  }, ["scope", "workspace", "name", "ttl"]),
};

const CODE_ONLY: Schema = object({ userCode: USER_CODE });

/** The operations on logins. */
export function deviceRoutes(state: HubState): Operation[] {
  return [
    {
      method: "POST",
      path: "/v1/device",
      summary: "Begin a login: what it asks for is approved elsewhere",
      body: {
        schema: object({ scope: { type: ["string", "null"], enum: [...ASKED, null] } }, ["scope"]),
        optional: true,
      },
      answers: { 200: { doc: "The codes.", schema: CODES } },
      problems: [503],
      open: true,
      scopes: [],
      run: (context) => begin(context, state),
    },
    {
      method: "POST",
      path: "/v1/device/lookup",
      summary: "What a login asks for, and from where",
      body: { schema: CODE_ONLY },
      answers: { 200: { doc: "The login.", schema: LOGIN } },
      problems: [404],
      scopes: APPROVERS,
      async run(context) {
        const { userCode } = await readCode(context);
        return context.json(printLogin(waiting(context, state, userCode)));
      },
    },
    {
      method: "POST",
      path: "/v1/device/approve",
      summary: "Let a login have a token",
      body: { schema: APPROVAL },
      answers: { 200: { doc: "The login.", schema: LOGIN } },
      problems: [404, 409],
      scopes: APPROVERS,
      async run(context) {
        const { userCode, wish: written } = await readCode(context, true);
        const login = waiting(context, state, userCode);
        const wish = readWish({ scope: login.scope, ...written }, context.var.caller.workspace);
        checkScope(context, wish);
        const by = actorOf(context);
        await orConflict(() => state.devices.approve(userCode, wish, by));
        state.audit.login("login.approved", wish.workspace, by, { ...login, scope: wish.scope });
        return context.json(printLogin(login));
      },
    },
    {
      method: "POST",
      path: "/v1/device/deny",
      summary: "Do not let a login have a token",
      body: { schema: CODE_ONLY },
      answers: { 200: { doc: "The login.", schema: LOGIN } },
      problems: [404],
      scopes: APPROVERS,
      async run(context) {
        const { userCode } = await readCode(context);
        const login = waiting(context, state, userCode);
        state.devices.deny(userCode);
        state.audit.login("login.denied", context.var.caller.workspace, actorOf(context), login);
        return context.json(printLogin(login));
      },
    },
    {
      method: "POST",
      path: "/v1/device/token",
      summary: "The token of a login that was approved, once",
      body: { schema: object({ deviceCode: TEXT }) },
      answers: { 200: { doc: "The token with its secret.", schema: NEW_TOKEN } },
      problems: [409, 503],
      open: true,
      scopes: [],
      run: (context) => poll(context, state),
    },
  ];
}

async function begin(context: ApiContext, state: HubState): Promise<Response> {
  const body = await readOptionalObject(context), errors = unknown(body, ["scope"]);
  const { scope } = body;
  const wanted = ASKED.find((known) => known === (scope ?? "member"));
  if (wanted === undefined) errors.push({ pointer: "/scope", detail: `is one of ${ASKED.join(", ")}` });
  if (errors.length > 0) throw new ApiProblem(422, "invalid", "The login can not begin.", [], errors);
  const software = printable(context.req.header("User-Agent") ?? "");
  const codes = state.devices.begin({ scope: wanted!, address: context.env.address, software });
  const page = state.hosts().publicUrl + DEVICE_PAGE;
  return context.json({
    deviceCode: codes.deviceCode.expose(),
    userCode: codes.userCode,
    verificationUri: page,
    verificationUriComplete: `${page}?code=${codes.userCode}`,
    expiresIn: codes.expiresInMs / 1000,
    interval: codes.intervalMs / 1000,
  });
}

async function poll(context: ApiContext, { devices, failures, audit }: HubState): Promise<Response> {
  const body = await readObject(context), errors = unknown(body, ["deviceCode"]);
  const { deviceCode } = body, { address } = context.env;
  if (typeof deviceCode !== "string") errors.push({ pointer: "/deviceCode", detail: "is a text" });
  if (errors.length > 0) throw new ApiProblem(422, "invalid", "This asks for no login.", [], errors);
  try {
    const { token, record } = await orConflict(() => devices.poll(String(deviceCode)));
    return context.json({ ...printToken(record), token: token.expose() });
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.code !== "expired_token") throw error;
    audit.refusedCall(error.code, address);
    throw failures.wrongToken(address) ?? error;
  }
}

/** The login that waits for a word about `userCode`. Throws ApiProblem: guesses are counted, and none too many. */
function waiting(context: ApiContext, { devices, failures, audit }: HubState, userCode: string): Login {
  const { address, local } = context.env;
  if (!local) failures.checkCodes(address);
  const login = devices.find(userCode);
  if (login !== null) return login;
  if (!local) failures.wrongCode(address);
  audit.refusedCall("unknown_code", address);
  throw notFound("login that waits with the code", userCode.slice(0, 20));
}

function checkScope({ env, var: { caller } }: ApiContext, { scope }: TokenWish): void {
  if (env.local || caller.scope === "admin" || BY_MEMBERS.includes(scope)) return;
  throw new ApiProblem(403, "forbidden", `A member approves a login as ${BY_MEMBERS.join(" or ")} only.`);
}

/** `{userCode}`; with `wish`, and members that say what the token shall be. */
async function readCode(
  context: ApiContext,
  wish = false,
): Promise<{ userCode: string; wish: Record<string, unknown> }> {
  const { userCode, ...rest } = await readObject(context);
  const errors = wish ? [] : unknown(rest, []);
  if (typeof userCode !== "string") errors.push({ pointer: "/userCode", detail: "is a text" });
  if (errors.length > 0) throw new ApiProblem(422, "invalid", "This names no login.", [], errors);
  const said = Object.entries(rest).filter(([, value]) => value !== null);
  return { userCode: String(userCode), wish: Object.fromEntries(said) };
}

function unknown(body: Record<string, unknown>, known: readonly string[]): BodyError[] {
  return Object.keys(body).filter((member) => !known.includes(member))
    .map((member) => ({ pointer: `/${member}`, detail: "is not known" }));
}

/** What a stranger says of itself, on its way to a person's eyes. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 100);
}

function printLogin({ scope, address, software, createdAt, expiresAt }: Login) {
  return { scope, address, software, createdAt: time(createdAt), expiresAt: time(expiresAt) };
}
