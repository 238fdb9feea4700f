/** Domains are looked at in turn: who asks for many that answer slowly keeps nobody else waiting for ever. */
import assert from "node:assert/strict";
import { TestClock } from "../../src/clock.ts";
import { Domains } from "../../src/hub/domains.ts";
import { Hosts } from "../../src/hub/hosts.ts";
import { HubLink, type NameRecord, UNTOLD } from "../../src/hub/link.ts";
import { Peer } from "../../src/hub/peer.ts";
import { hubStorePath, openHubStore } from "../../src/hub/place.ts";
import type { Prover } from "../../src/hub/prover.ts";
import { createLog } from "../../src/log.ts";
import { auditEntry } from "../../src/store/audit.ts";

/** Name servers have so long, and let it pass. */
const SLOW_MS = 15_000;

Deno.test("a hundred domains whose name servers are slow keep no other from being looked at", async () => {
  const clock = new TestClock(), asked = new Set<string>();
  const folder = Deno.makeTempDirSync({ prefix: "connectd-turns-" });
  const store = await openHubStore(hubStorePath(folder), clock);
  const prover: Prover = {
    txt(name) {
      asked.add(name);
      return new Promise((resolve) => clock.timer(() => resolve(null)).set(SLOW_MS));
    },
    http: () => Promise.resolve(null),
  };
  const domains = await Domains.open({
    ...{ store, clock, prover, told: () => {}, log: createLog({ level: "error", write: () => {} }) },
    audit: { domain: (type, workspace, subject) => auditEntry({ type, workspace, actor: "", subject }, 0) },
    hosts: () => new Hosts("links.test", "https://links.test", false),
  });
  const ask = (workspace: string, domain: string) => {
    const record: NameRecord = {
      ...{ id: domain, workspace, daemon: "d", name: "n", subdomain: false, declaredAt: 1, declared: true },
      ...{ expiresAt: null, ended: null, revokedAt: null, revokePending: false, ...UNTOLD, domain },
    };
    domains.changed(new HubLink(record, new Peer(workspace, "d", clock)));
  };
  for (let i = 0; i < 100; i++) ask("many", `d${i}.example.com`);
  ask("one", "api.example.org");
  for (let s = 0; s < 600 && !asked.has("_connectd.api.example.org"); s++) {
    clock.advance(1_000);
    await new Promise((turn) => setTimeout(turn, 0));
  }
  domains.close();
  await store.close();
  Deno.removeSync(folder, { recursive: true });
  assert.equal(asked.has("_connectd.api.example.org"), true);
});
