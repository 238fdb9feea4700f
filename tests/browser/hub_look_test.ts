/** The dashboard as it looks, in every state, and what other pages can do to it: nothing. */
import assert from "node:assert/strict";
import type { HubLink } from "../../src/hub/link.ts";
import type { HubState } from "../../src/hub/state.ts";
import { Traffic } from "../../src/hub/traffic.ts";
import { eventually } from "../e2e/rig.ts";
import { type FakeDaemon, link, respond } from "../hub/rig.ts";
import { check, look, PICTURES, reportOnly, type Shot } from "./look.ts";
import { HubWorld } from "./hub_world.ts";
import { CHROMIUM } from "./world.ts";

const HOUR = 3_600_000;

/** Links of every state, some with an hour of traffic. */
async function furnish(world: HubWorld): Promise<FakeDaemon> {
  const daemon = world.hub.attached({ daemon: "build-01" });
  const at = Date.now();
  const { links } = await daemon.hello([
    link("stripe", {
      expiresAt: at + 20 * HOUR,
      activatedAt: at - 4 * HOUR,
      service: "billing",
      source: "file",
      policy: { methods: ["POST"], paths: ["/webhooks/stripe", "= /health"], maxBody: 10 << 20 },
    }),
    link("demo", { expiresAt: at + 6 * 24 * HOUR, source: "hub", policy: { maxStreams: 100 } }),
    link("partner", { policy: { paths: ["/v1"], allowIps: ["198.51.100.0/24"], auth: true, bearer: true } }),
    link("broken", { state: "error" }),
    link("ended", { state: "expired", expiresAt: at - HOUR }),
    link("zz-a-name-as-long-as-a-name-may-be".padEnd(63, "x")),
    link("gone"),
  ]);
  const away = world.hub.attached({ daemon: "laptop" });
  await away.hello([link("away")]);
  away.leave();
  const idOf = (name: string) => links.find((one: { name: string }) => one.name === name).id as string;
  for (
    const [name, request] of [
      ["stripe", "POST /webhooks/stripe HTTP/1.1\r\nContent-Length: 0"],
      ["stripe", "GET /webhooks/stripe HTTP/1.1"],
      ["demo", "GET / HTTP/1.1"],
      ["partner", "GET /a/path/that/is/longer/than/any/phone/is/wide HTTP/1.1"],
    ]
  ) await world.hub.visit(idOf(name), request);
  const token = await world.hub.token("admin");
  await world.hub.api("DELETE", `/v1/links/${idOf("gone")}`, token);
  return daemon;
}

Deno.test({
  name:
    "every page of the dashboard is whole at 360 and at 1,280 px, light and dark; axe finds nothing and the browser complains of nothing",
  ignore: CHROMIUM === null,
  async fn(t) {
    await using world = await HubWorld.open();
    const { person, origin, hub: { hub } } = world;
    const site = { person, origin, site: "connectd hub", colourful: ["links", "link", "shares", "tokens"] };
    await look(t, site, [["sign-in-first", "/sign-in", "Sign in"]]);
    await world.hub.token("daemon");
    await look(t, site, [["sign-in", "/", "Sign in"]]);
    await world.signIn();
    await look(t, site, [["links-first", "/", "Links"], ["services-none", "/services", "Services"]]);
    await furnish(world);
    await world.serve(
      'remote: manage\nservices: { web: { target: echo, remote: true }, db: { target: "tcp://127.0.0.1:5", access: private } }',
    );
    lookBusy(world);
    const id = (name: string) => [...names(world)].find(({ record }) => record.name === name)!.record.id;
    const { json: share } = await world.hub.api("POST", "/v1/shares", await world.hub.token("member"), {
      services: ["db"],
      requireApproval: true,
    });
    await world.hub.api("POST", "/v1/shares/join", await world.hub.token("member"), { code: share.code });
    const login = await world.hub.api("POST", "/v1/device", undefined, {});
    const shots: Shot[] = [
      ["links", "/", "Links"],
      ["links-none", "/?q=nothing", "Links"],
      ["link", `/links/${id("stripe")}`, "stripe"],
      ["link-revoked", `/links/${id("gone")}`, "gone"],
      ["requests", `/links/${id("stripe")}/requests`, "Requests of stripe"],
      ["requests-none", `/links/${id("broken")}/requests`, "Requests of broken"],
      ["new", "/new", "New link"],
      ["services", "/services", "Services"],
      ["shares", "/shares", "Shares"],
      ["tokens", "/tokens", "Tokens"],
      ["audit", "/audit?verify=1", "Audit"],
      ["settings", "/settings", "Settings"],
      ["device", `/device?code=${login.json.userCode}`, "Sign in a device"],
      ["error", "/links/nobody", "Not found"],
    ];
    await look(t, site, shots);
    await t.step("its policy as one that only reports has nothing to report", async () => {
      await reportOnly(site, shots);
      await person.page.ask("Fetch.disable");
    });
    await t.step("the keys, and the bar that says that a page is stale", async () => {
      await person.window(1280, "light");
      await person.open(`${world.origin}/`, "Links · connectd hub");
      if (PICTURES !== null) await picture(world, id("stripe"));
      await person.press("?");
      await person.sees("go to a link by name");
      await person.press("?");
      await hub.close();
      await person.page.until("document.querySelector('[data-stale-bar]').checkVisibility()", true);
      await check(person);
    });
  },
});

/** The links of the hub, as it keeps them. */
function names({ hub }: HubWorld): Iterable<HubLink> {
  return (hub.hub as unknown as HubState).names.all();
}

/** As if an hour with requests had gone by. */
function lookBusy(world: HubWorld): void {
  let at = 0;
  const traffic = new Traffic({ mono: () => at }, () => names(world));
  for (let minute = 0; minute < 60; minute++) {
    for (const { counters, record: { name } } of names(world)) {
      if (name === "stripe") counters.allowed += 6 + (minute * 13) % 9 + (minute > 40 ? 8 : 0);
      if (name === "demo") counters.allowed += minute % 11 < 4 ? 3 + minute % 5 : 0;
    }
    at += minute < 59 ? 60_000 : 0;
    traffic.look();
  }
  Object.assign(world.hub.hub, { traffic });
}

/** The pictures of the documentation. */
async function picture({ person, origin }: HubWorld, id: string): Promise<void> {
  await person.window(1280, "light", 640);
  await person.open(`${origin}/`, "Links · connectd hub");
  await person.picture(`${PICTURES}/dashboard-links.png`);
  await person.window(1280, "dark", 700);
  await person.open(`${origin}/links/${id}`, "stripe · connectd hub");
  await person.picture(`${PICTURES}/dashboard-link.png`);
  for (const name of ["links", "link"]) {
    const { size } = await Deno.stat(`${PICTURES}/dashboard-${name}.png`);
    assert.ok(size < 150 * 1024, `${size} bytes`);
  }
}

Deno.test({
  name:
    "a link's page, which is of the same site, and a page elsewhere can set no cookie, send no form and read nothing of the dashboard",
  ignore: CHROMIUM === null,
  async fn() {
    // Links are below the hub's own name: their pages may set cookies for it.
    await using world = await HubWorld.open({ domain: "hub.localhost" });
    const { person, hub } = world;
    const cookie = `__Host-connectd-${world.port}`;
    const page = () => {
      const body = "<!doctype html><title>evil</title><link rel=icon href=data:,>";
      const cookies = [
        `${cookie}=planted; Domain=hub.localhost; Path=/; Secure`,
        `${cookie}=planted; Path=/; Secure`,
        `planted=1; Domain=hub.localhost; Path=/`,
      ].map((text) => `Set-Cookie: ${text}\r\n`).join("");
      return `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n${cookies}Content-Length: ${body.length}\r\n\r\n${body}`;
    };
    const daemon = hub.attached({
      serve(stream, head) {
        if (head.startsWith("GET /plain")) return respond(stream, "plain");
        const text = page(), cut = text.indexOf("\r\n\r\n") + 4;
        stream.sendHead(text.slice(0, cut), false);
        const body = new TextEncoder().encode(text.slice(cut));
        stream.send(body, 0, body.length);
        stream.end();
      },
    });
    const { links } = await daemon.hello([link("evil"), link("dear")]);
    const [evil, dear] = links.map(({ id }: { id: string }) => id);
    await world.signIn();
    // Elsewhere: another site altogether.
    const elsewhere = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      () =>
        new Response("<!doctype html><title>evil</title><link rel=icon href=data:,>", {
          headers: { "Content-Type": "text/html" },
        }),
    );
    try {
      for (
        const from of [
          `http://${evil}.hub.localhost:${world.port}/`,
          `http://127.0.0.1:${elsewhere.addr.port}/`,
        ]
      ) {
        await person.open(from, "evil");
        for (const path of [`/links/${dear}/revoke`, "/sign-in", "/sign-out", "/tokens"]) {
          await person.page.value(`fetch("${world.origin}${path}", {
            method: "POST", mode: "no-cors", credentials: "include",
            headers: { "Content-Type": "application/x-www-form-urlencoded" }, body: "scope=admin&token=x",
          }).then(() => 1, () => 0)`);
        }
        const read = await person.page.value<string>(
          `fetch("${world.origin}/tokens", { credentials: "include" }).then((a) => a.text(), () => "refused")`,
        );
        assert.equal(read, "refused");
        // The form that a person is tricked into sending.
        await person.page.value(`(() => {
          document.body.innerHTML = '<form method=post action="${world.origin}/links/${dear}/revoke"></form>';
          document.forms[0].submit();
        })()`);
        await person.at("Not allowed · connectd hub");
        await person.sees("Only forms of this page are taken");
        // In a frame nobody sees where they click.
        await person.open(from, "evil");
        await person.page.value(`(() => {
          const frame = document.createElement("iframe");
          frame.src = "${world.origin}/links/${dear}";
          document.body.append(frame);
        })()`);
        await eventually(
          () => Promise.resolve(person.complaints),
          (all) => all.some((text) => /frame-ancestors/.test(text)),
        );
        person.complaints.length = 0;
      }
      assert.equal(
        (await hub.api("GET", `/v1/links/${dear}`, await hub.token("viewer"))).json.state,
        "active",
      );

      // A name that leads here without being the hub's.
      await person.page.go(`http://a.b.hub.localhost:${world.port}/`);
      await person.sees("link_unknown");
      // Still signed in, by the hub's own cookie and no other.
      await person.open(`${world.origin}/links/${dear}`, "dear · connectd hub");
      type Cookies = { cookies: { name: string; value: string; domain: string }[] };
      const { cookies } = await person.page.ask<Cookies>("Network.getCookies", { urls: [world.origin] });
      const sessions = cookies.filter(({ name }) => name === cookie);
      assert.deepEqual(sessions.map(({ domain }) => domain), ["hub.localhost"]);
      assert.notEqual(sessions[0].value, "planted");
      assert.equal(cookies.some(({ name }) => name === "planted"), true, "the link's page did set a cookie");
      assert.equal(await person.page.value("document.cookie"), "planted=1");
    } finally {
      await elsewhere.shutdown();
    }
  },
});
