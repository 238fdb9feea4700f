/** Daemons that let a hub have links made. */
import type { Ask, AskProblem, ServiceDecl } from "../../src/wire/hello.ts";
import { type Answer, type FakeDaemon, type HubRig, link } from "./rig.ts";

/** A service as a daemon declares it. */
export function service(name: string, o: Partial<ServiceDecl> = {}): ServiceDecl {
  return { name, kind: "http", access: "public", remote: true, port: null, ...o };
}

/** A daemon with these services, which has said hello; it does nothing that it is asked for, unless a test does it. */
export async function managed(
  rig: HubRig,
  services: readonly ServiceDecl[],
  o: { daemon?: string; workspace?: string } = {},
): Promise<FakeDaemon> {
  const daemon = rig.attached(o);
  await daemon.hello([], { services });
  return daemon;
}

/** The ask number `n` that `daemon` got, from 0. */
export async function asked(daemon: FakeDaemon, n = 0): Promise<Ask> {
  for (;;) {
    const asks = daemon.messages.filter((message) => message.type === "ask");
    if (asks.length > n) return asks[n] as Ask;
    await daemon.happens();
  }
}

/** Does ask number `n` as a daemon does it: the link is declared, and then the answer told. */
export async function obey(daemon: FakeDaemon, n = 0): Promise<Ask> {
  const ask = await asked(daemon, n);
  const { name, body } = ask;
  const { paths = null, service = "web" } = body as { paths?: string[] | null; service?: string };
  await daemon.change([link(name, { service, source: "hub", policy: { paths } })]);
  reply(daemon, ask);
  return ask;
}

/** Does whatever `daemon` is asked for. */
export async function obeyAll(daemon: FakeDaemon): Promise<void> {
  for (let n = 0;; n++) await obey(daemon, n).catch(() => {});
}

export function reply(daemon: FakeDaemon, { id }: Ask, problem: AskProblem | null = null): void {
  daemon.session.control({ type: "reply", id, problem });
}

/** The status of an answer; of a problem its code, and where the body is wrong. */
export function short({ status, json }: Answer): string {
  if (status < 400) return String(status);
  const pointers = (json.errors ?? []).map((error: { pointer: string }) => error.pointer);
  return [status, json.code, ...pointers].join(" ");
}
