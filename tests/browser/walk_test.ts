/** The local page under a person's hands: by keyboard alone, live, and with a great many requests. */
import assert from "node:assert/strict";
import { Talk } from "../e2e/talk.ts";
import { eventually } from "../e2e/rig.ts";
import { CHROMIUM, World } from "./world.ts";

Deno.test({
  name: "a link is made, copied, looked at and revoked by keyboard alone",
  ignore: CHROMIUM === null,
  async fn() {
    await using world = await World.open("links: { hello: { target: echo } }");
    const { person } = world;
    await world.signIn();
    // What opened the page stays in no history.
    assert.equal(await person.page.value("location.pathname + location.search"), "/");
    const { entries } = await person.page.ask<{ entries: { url: string }[] }>("Page.getNavigationHistory");
    assert.deepEqual(entries.filter(({ url }) => url.includes("key=")), []);

    await person.tabTo("New link…");
    await person.press("Enter");
    await person.at("New link · connectd");
    await person.tabTo("Target");
    await person.type("echo");
    await person.tabTo("Name");
    await person.type("try");
    await person.tabTo("Paths");
    await person.type("/api");
    await person.press("Enter");
    await person.at("try · connectd");
    await person.sees("Only /api and what is below it.");

    await person.tabTo("Links");
    await person.press("Enter");
    await person.at("Links · connectd");
    await person.press("/");
    await person.type("try");
    await person.press("Enter");
    await person.page.until("location.search + document.readyState", "?q=trycomplete");
    await person.press("j", "y");
    const { url } = world.daemon.link("try");
    await eventually(
      () => person.page.value<string>("navigator.clipboard.readText()"),
      (text) => text === url,
    );
    await person.press("Enter");
    await person.at("try · connectd");
    await person.tabTo("Revoke…");
    await person.press("Enter");
    await person.tabTo("Revoke try");
    await person.press("Enter");
    await person.sees("✕ revoked");
    // Keys are for the page that follows, once its script has run.
    await person.page.until("document.readyState", "complete");
    assert.equal(world.daemon.link("try").state, "revoked");

    await person.press("?");
    await person.sees("next row");
    await person.press("Escape");
    await person.tabTo("Sign out");
    await person.press("Enter");
    await person.at("Sign in · connectd");
    const others = person.complaints.filter((text) => !/status of 401/.test(text));
    assert.deepEqual(others, []);
  },
});

Deno.test({
  name:
    "a page keeps up while it is looked at, stands still when it is paused, and asks for nothing when it is hidden",
  ignore: CHROMIUM === null,
  async fn() {
    await using world = await World.open("links: { hello: { target: echo } }");
    const { person, state: { witnesses } } = world;
    await world.signIn();
    await person.sees("● active");
    await world.daemon.daemon.revoke("hello");
    await person.sees("✕ revoked");
    await world.state.renew("hello", {}, "test");
    await person.sees("● active");

    // What has the focus keeps it while the rest changes under it, and so does what was opened.
    await person.press("j");
    assert.equal(await person.focused(), "hello");
    await world.visit("hello", "GET /counted HTTP/1.1");
    await person.page.until("document.querySelector('tbody tr').cells[5].textContent", "1");
    assert.equal(await person.focused(), "hello");
    await person.open(`${world.origin}/links/hello`, "hello · connectd");
    await person.tabTo("Revoke…");
    await person.press("Enter");
    await world.visit("hello", "GET /counted HTTP/1.1");
    await person.page.until("document.querySelector('main').innerText.includes('Allowed\\n2')", true);
    assert.equal(await person.focused(), "Revoke…");
    await person.sees("Revoke hello");

    await person.open(`${world.origin}/requests?path=/seen`, "Requests · connectd");
    const watched = async (n: number) =>
      await eventually(() => Promise.resolve(witnesses.live.watchers), (w) => w === n);
    await watched(1);
    await world.visit("hello", "GET /other HTTP/1.1");
    await world.visit("hello", "GET /seen/1 HTTP/1.1");
    await person.sees("/seen/1");
    assert.equal((await person.text("tbody")).includes("/other"), false);

    await person.press("p");
    await watched(0);
    await world.visit("hello", "GET /seen/2 HTTP/1.1");
    assert.equal((await person.text("tbody")).includes("/seen/2"), false);
    await person.press("p");
    await person.sees("/seen/2");

    const hide = (hidden: boolean) =>
      person.page.value(`(() => {
        Object.defineProperty(document, "hidden", { value: ${hidden}, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      })()`);
    await hide(true);
    await watched(0);
    await world.visit("hello", "GET /seen/3 HTTP/1.1");
    await hide(false);
    await person.sees("/seen/3");

    // A row that has the focus keeps it while others come on top.
    await person.press("j");
    const focused = await person.focused();
    await world.visit("hello", "GET /seen/4 HTTP/1.1");
    await person.sees("/seen/4");
    assert.equal(await person.focused(), focused);
    assert.deepEqual(person.complaints, []);
  },
});

Deno.test({
  name: "without a script the page reads, its forms work, and nothing is offered that would need one",
  ignore: CHROMIUM === null,
  async fn() {
    await using world = await World.open("links: { hello: { target: echo } }");
    const { person } = world;
    await world.signIn();
    await person.page.ask("Emulation.setScriptExecutionDisabled", { value: true });
    await person.open(`${world.origin}/links/hello`, "hello · connectd");
    const offered = "[...document.querySelectorAll('.scripted')].filter((at) => at.checkVisibility()).length";
    assert.equal(await person.page.value(offered), 0);
    await person.tabTo("Revoke…");
    await person.press("Enter");
    await person.tabTo("Revoke hello");
    await person.press("Enter");
    await person.sees("✕ revoked");
    await person.tabTo("For how long (empty: as it says)");
    await person.type("1h");
    await person.press("Enter");
    await person.sees("in 59m");
  },
});

/** Ten links, since each keeps 1,000 at most. */
const MANY = "links:\n" +
  Array.from({ length: 10 }, (_, i) => `  n${i}: { target: echo, inspect_last: 1000 }`).join("\n");

Deno.test({
  name:
    "10,000 requests leave a page with 200 rows and a reader who can go on; the older ones are pages away",
  ignore: CHROMIUM === null,
  async fn() {
    await using world = await World.open(MANY);
    const { person } = world;
    await world.signIn();
    await person.open(`${world.origin}/requests`, "Requests · connectd");
    await person.page.value(`window.long = [];
      new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration)))
        .observe({ type: "longtask" }); 0`);
    const began = performance.now();
    await Promise.all(Array.from({ length: 10 }, (_, i) => flood(world, `n${i}`, 1000)));
    const took = performance.now() - began;
    await world.visit("n0", "GET /the/last HTTP/1.1");
    await person.sees("/the/last");
    const [rows, long] = [
      await person.page.value<number>("document.querySelector('tbody').rows.length"),
      await person.page.value<number[]>("long"),
    ];
    assert.ok(rows > 50 && rows <= 200, `${rows} rows`);
    console.log(
      `10,000 requests in ${Math.round(took)} ms with a page open: ${long.length} long tasks, the longest ${
        Math.round(Math.max(0, ...long))
      } ms`,
    );
    await person.sees("went by too fast");
    // Older ones are pages away.
    await person.open(`${world.origin}/requests?link=n7`, "Requests · connectd");
    for (let page = 1; page < 6; page++) {
      const before = await person.page.value<string>("location.search");
      await person.page.value(
        "[...document.links].find(({ textContent }) => textContent === 'Older').click()",
      );
      await person.page.until(
        `document.readyState === "complete" && location.search !== ${JSON.stringify(before)}`,
        true,
      );
    }
    await person.sees("/n/749.");
    assert.deepEqual(person.complaints, []);
  },
});

/** So many requests over one connection, some at a time. */
async function flood(world: World, name: string, count: number): Promise<void> {
  const { host, port } = new URL(world.daemon.link(name).url!);
  using talk = await Talk.to(Number(port));
  for (let i = 0; i < count; i++) {
    await talk.write(`GET /n/${i}. HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    const head = await talk.head();
    await talk.body(Number(head!.fields.get("content-length")), () => {});
  }
}
