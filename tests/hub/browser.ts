/** Who asks the dashboard: a browser, as far as a hub can tell. */
import assert from "node:assert/strict";
import type { Scope } from "../../src/hub/tokens.ts";
import { type Answer, ask, type HubRig } from "./rig.ts";

export class Browser {
  cookie = "";

  constructor(readonly rig: HubRig, readonly host = `hub.localhost:${rig.hub.address.port}`) {}

  static async signedIn(rig: HubRig, scope: Scope = "admin", workspace = "default"): Promise<Browser> {
    const browser = new Browser(rig);
    assert.equal((await browser.signIn(await rig.token(scope, workspace))).status, 303);
    return browser;
  }

  async get(path: string, fields: readonly string[] = []): Promise<Answer> {
    return await this.#send(`GET ${path} HTTP/1.1`, fields, "");
  }

  /** As the form of the dashboard's own page, unless `fields` say otherwise. */
  async post(
    path: string,
    form: Record<string, string> | string = {},
    fields?: readonly string[],
  ): Promise<Answer> {
    const body = new URLSearchParams(form).toString();
    return await this.#send(`POST ${path} HTTP/1.1`, [
      ...fields ?? [`Origin: http://${this.host}`, "Sec-Fetch-Site: same-origin"],
      "Content-Type: application/x-www-form-urlencoded",
      `Content-Length: ${body.length}`,
    ], body);
  }

  async signIn(token: string, next = "/"): Promise<Answer> {
    const answer = await this.post("/sign-in", { token, next });
    this.cookie = /set-cookie: ([^;]*)/i.exec(answer.head)?.[1] ?? "";
    return answer;
  }

  async #send(first: string, fields: readonly string[], body: string): Promise<Answer> {
    const cookie = this.cookie === "" ? [] : [`Cookie: a=b; ${this.cookie}`];
    const accept = fields.some((one) => one.startsWith("Accept:")) ? [] : ["Accept: text/html"];
    const lines = [first, ...accept, ...cookie, ...fields];
    return await ask(this.rig.hub.address.port, this.host, lines.join("\r\n"), body);
  }
}

/** The value of a field of an answer. */
export function field(answer: Answer, name: string): string | undefined {
  return new RegExp(`^${name}: (.*)\r$`, "im").exec(answer.head)?.[1];
}
