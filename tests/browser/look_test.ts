/** Every page and state as it looks: in both themes, on a phone and on a desk, with nothing for axe to find. */
import assert from "node:assert/strict";
import { eventually } from "../e2e/rig.ts";
import { check, look, PICTURES, reportOnly, type Shot } from "./look.ts";
import { CHROMIUM, World } from "./world.ts";

const LINKS = `links:
  hello: { target: echo, inspect: bodies }
  limited: { target: echo, rate: 1/h }
  stripe:
    target: localhost:3000
    ttl: 24h
    methods: [POST]
    paths: [/webhooks/stripe, "= /health"]
    rate: [100/m burst 20, 1000/d per ip]
    max_body: 10MiB
  ended: { target: echo, until: 2020-01-01T00:00:00Z }
  broken: { target: echo, auth: { basic: { file: ./none.htpasswd } } }
  gone: { target: echo }`;

/** Between them they have every colour. */
const COLOURFUL = ["links", "link", "request-refused", "request-beside"];

Deno.test({
  name:
    "every page is whole at 360 and at 1,280 px, light and dark; axe finds nothing and the browser complains of nothing",
  ignore: CHROMIUM === null,
  async fn(t) {
    await using world = await World.open(LINKS);
    const { person, daemon, origin } = world;
    const site = { person, origin, site: "connectd", colourful: COLOURFUL };
    await daemon.api("DELETE", "/v1/links/gone");
    const post =
      "POST /orders?id=7 HTTP/1.1\nContent-Type: application/json\nAuthorization: Bearer a-secret-of-mine\n\n" +
      '{"event":"order.paid","order":{"id":7,"lines":[{"sku":"A-1","n":2}],"paid":true}}';
    await world.visit("hello", post);
    await world.visit("hello", "GET /status?status=503 HTTP/1.1");
    await world.visit("limited", "GET /a/path/that/is/longer/than/any/phone/is/wide HTTP/1.1");
    await world.visit("limited", "GET /again HTTP/1.1");
    const [refused, , , paid] = world.state.witnesses.captures.newest().map(({ request }) =>
      request.requestId
    );
    const { json } = await daemon.api("POST", `/v1/requests/${paid}/replay`, { edit: { method: "PUT" } });
    const again = (json as { id: string }).id;
    daemon.write(`${LINKS}\n  more: { target: echo, method: [GET] }`);
    await daemon.api("POST", "/v1/reload");

    await person.open(`${world.origin}/requests`, "Sign in · connectd");
    await look(t, site, [["sign-in", "/", "Sign in"]]);
    await world.signIn();
    const shots: Shot[] = [
      ["links", "/", "Links"],
      ["links-none", "/?q=nothing", "Links"],
      ["new", "/new", "New link"],
      ["link", "/links/stripe", "stripe"],
      ["link-revoked", "/links/gone", "gone"],
      ["requests", "/requests", "Requests"],
      ["requests-none", "/requests?link=nothing", "Requests"],
      ["request", `/requests/${paid}`, "POST /orders"],
      ["request-hex", `/requests/${paid}?as=hex`, "POST /orders"],
      ["request-refused", `/requests/${refused}`, "GET /again"],
      ["request-edit", `/requests/${paid}/edit`, "Edit POST /orders"],
      ["request-beside", `/requests/${again}/beside?as=text`, "PUT /orders, twice"],
      ["plan", "/plan", "Plan"],
      ["audit", "/audit?verify=1", "Audit"],
      ["error", "/links/nobody", "Not found"],
    ];
    await look(t, site, shots);
    await t.step("its policy as one that only reports has nothing to report", async () => {
      await reportOnly(site, shots);
      await person.page.ask("Fetch.disable");
    });

    if (PICTURES !== null) await pictures();
    await t.step("the keys, and the bar that says that a page is stale", async () => {
      await person.window(1280, "light");
      await person.open(`${world.origin}/`, "Links · connectd");
      await person.press("?");
      if (PICTURES !== null) await person.picture(`${PICTURES}/keys.png`);
      await check(person);
      await person.press("?");
      await world.daemon.daemon.close();
      await person.page.until("document.querySelector('[data-stale-bar]').checkVisibility()", true);
      if (PICTURES !== null) await person.picture(`${PICTURES}/stale.png`);
      await check(person);
    });
  },
});

const SHOWN = `links:
  demo: { target: echo, ttl: 7d, methods: [GET] }
  docs: { target: echo }
  old: { target: echo }
  preview: { target: echo }
  stripe: { target: echo, ttl: 24h, methods: [POST], paths: [/webhooks/stripe], inspect: bodies }`;

/** The pictures of the documentation. */
async function pictures(): Promise<void> {
  await using world = await World.open(SHOWN);
  const { person, daemon, origin } = world;
  await daemon.api("DELETE", "/v1/links/old");
  for (let i = 0; i < 17; i++) await world.visit("docs", "GET /guide HTTP/1.1");
  await world.visit("demo", "GET / HTTP/1.1");
  await world.visit("demo", "POST / HTTP/1.1\nContent-Length: 0");
  await world.visit(
    "stripe",
    "POST /webhooks/stripe?delay=36ms HTTP/1.1\nUser-Agent: Stripe/1.0\nContent-Type: application/json\n\n" +
      '{"id":"evt_1QK","type":"checkout.session.completed","data":{"object":{"id":"cs_7Yw","paid":true}}}',
  );
  const [paid] = world.state.witnesses.captures.newest().map(({ request }) => request.requestId);
  await world.signIn();
  await person.window(1120, "light", 520);
  await person.open(`${origin}/`, "Links · connectd");
  await person.picture(`${PICTURES}/page-links.png`);
  await person.window(1120, "light", 760);
  await person.open(`${origin}/requests/${paid}`, "POST /webhooks/stripe · connectd");
  await person.picture(`${PICTURES}/page-request.png`);
}

Deno.test({
  name:
    "a daemon without links shows what to type first, and the browser refuses whatever is not the page's own",
  ignore: CHROMIUM === null,
  async fn() {
    await using world = await World.open("links: {}");
    await world.signIn();
    const { person } = world;
    await person.sees("connectd link localhost:3000 --expires 1h");
    assert.deepEqual(person.complaints, []);
    // What other tests listen for when they say that the browser complains of nothing.
    const kinds = ["connect-src", "frame-src", "img-src", "script-src-elem", "style-src-elem"];
    await person.page.value(`(() => {
      window.broken = [];
      addEventListener("securitypolicyviolation", ({ effectiveDirective }) => broken.push(effectiveDirective));
      const add = (name, members) => document.body.append(Object.assign(document.createElement(name), members));
      add("style", { textContent: "p { color: red }" });
      add("script", { textContent: "window.ran = true" });
      add("img", { src: "http://127.0.0.1:1/x.png" });
      add("iframe", { src: "/" });
      fetch("http://127.0.0.1:1/").catch(() => {});
    })()`);
    await person.page.until("broken.sort().join()", kinds.join());
    assert.equal(await person.page.value("window.ran === undefined"), true);
    await eventually(() => Promise.resolve(person.complaints.length), (n) => n >= kinds.length);
  },
});
