/** The dashboard under a person's hands: every action, by keyboard, in two tabs, over a restart of the hub, without a script. */
import assert from "node:assert/strict";
import { eventually } from "../e2e/rig.ts";
import { link } from "../hub/rig.ts";
import { HubWorld } from "./hub_world.ts";
import { CHROMIUM } from "./world.ts";

const MANAGED = `remote: manage
services:
  web: { target: echo, remote: true }
  db: { target: "tcp://127.0.0.1:5", access: private }
links:
  kept: { target: echo }`;

Deno.test({
  name: "a link is made, copied, changed, revoked and taken back by keyboard alone",
  ignore: CHROMIUM === null,
  async fn() {
    await using world = await HubWorld.open();
    const { person } = world;
    const daemon = await world.serve(MANAGED);
    await world.signIn("member");

    await person.tabTo("New link…");
    await person.press("Enter");
    await person.at("New link · connectd hub");
    await person.tabTo("Name");
    await person.type("try");
    await person.tabTo("Paths");
    await person.type("nonsense");
    await person.press("Enter");
    await person.page.until(
      "document.readyState + document.querySelector('[name=paths]').ariaInvalid",
      "completetrue",
    );
    await person.page.value("document.querySelector('[name=paths]').select()");
    await person.page.value("document.querySelector('[name=paths]').focus()");
    await person.type("/api");
    await person.press("Enter");
    await person.at("try · connectd hub");
    await person.sees("Only /api and what is below it.");
    assert.deepEqual(daemon.link("try").policy.paths, ["/api"]);

    await person.tabTo("Edit…");
    await person.press("Enter");
    await person.at("Edit try · connectd hub");
    await person.tabTo("Methods");
    await person.type("get");
    await person.press("Enter");
    await person.at("try · connectd hub");
    await person.sees("Only GET (and HEAD).");

    await person.tabTo("Links");
    await person.press("Enter");
    await person.at("Links · connectd hub");
    const chosen = "document.querySelectorAll('td > :checked').length";
    await person.tabTo("Choose all");
    await person.press(" ");
    assert.equal(await person.page.value(chosen), 2);
    await person.press(" ");
    assert.equal(await person.page.value(chosen), 0);
    // In a box to tick a letter is a key, as it is anywhere but in a text.
    await person.press("k");
    await person.type("tr");
    await person.sees("1 link fits.");
    await person.press("ArrowDown");
    assert.match(await person.focused(), /^try ● active/);
    await person.press("Enter");
    await person.at("try · connectd hub");
    await person.tabTo("Links");
    await person.press("Enter");
    await person.at("Links · connectd hub");
    await person.press("/");
    await person.type("try");
    await person.press("Enter");
    await person.page.until("location.search + document.readyState", "?q=try&state=&sort=namecomplete");
    await person.press("j");
    assert.match(await person.focused(), /^try/);
    await person.press("y");
    const url = `http://${world.id("try")}.localhost:${world.port}`;
    await eventually(
      () => person.page.value<string>("navigator.clipboard.readText()"),
      (text) => text === url,
    );

    await person.press("Enter");
    await person.at("try · connectd hub");
    await person.tabTo("Revoke…");
    await person.press("Enter");
    await person.tabTo("Revoke try");
    await person.press("Enter");
    await person.sees("✕ revoked");
    assert.equal((await world.hub.visit(world.id("try"), "GET /api HTTP/1.1")).status, 410);
    await person.tabTo("Undo");
    await person.press("Enter");
    await person.sees("● active");
    assert.equal((await world.hub.visit(world.id("try"), "GET /api HTTP/1.1")).status, 200);

    // What its daemon lets no hub change is not offered, and the way to do it is said.
    await person.open(`${world.origin}/links/${world.id("kept")}`, "kept · connectd hub");
    assert.equal((await person.text("main")).includes("Renew…"), false);
    await person.tabTo("Revoke…");
    await person.press("Enter");
    await person.tabTo("Revoke kept");
    await person.press("Enter");
    await person.sees("connectd renew kept");

    await person.tabTo("Sign out");
    await person.press("Enter");
    await person.at("Sign in · connectd hub");
    await person.open(`${world.origin}/links/${world.id("kept")}`, "Sign in · connectd hub");
    assert.deepEqual(person.complaints.filter((text) => !/status of (401|422)/.test(text)), []);
  },
});

Deno.test({
  name: "tokens and shares are made, shown once and ended; a login is approved or turned away",
  ignore: CHROMIUM === null,
  async fn() {
    await using world = await HubWorld.open();
    const { person, hub: { hub } } = world;
    await world.serve(MANAGED);
    await world.signIn();

    await person.open(`${world.origin}/tokens`, "Tokens · connectd hub");
    await person.tabTo("Name");
    await person.type("laptop");
    await person.press("Enter");
    await person.sees("it is shown this once");
    const token = /connectd_[a-z2-7_]+/.exec(await person.text())![0];
    assert.equal(hub.tokens.identify(`Bearer ${token}`)?.name, "laptop");
    assert.equal((await person.page.value<string>("location.href")).includes(token), false);
    await person.page.ask("Page.reload");
    await person.sees("was shown once, and is not kept");
    assert.equal((await person.text()).includes(token), false);
    await person.tabTo("Revoke laptop…");
    await person.press("Enter");
    await person.tabTo("Revoke laptop");
    await person.press("Enter");
    await eventually(() => Promise.resolve(hub.tokens.identify(`Bearer ${token}`)), (who) => who === null);

    await person.open(`${world.origin}/shares`, "Shares · connectd hub");
    await person.tabTo("New share…");
    await person.press("Enter");
    await person.press("Tab", " ");
    await person.tabTo("who joins waits for approval");
    await person.press(" ", "Enter");
    await person.sees("it is shown this once");
    const code = /[a-z2-7]{5}-[a-z2-7]{5}-[a-z2-7]{5}/.exec(await person.text())![0];
    const mine = await world.hub.token("member");
    await world.hub.api("POST", "/v1/shares/join", mine, { code });
    await person.sees("waiting");
    const name = hub.tokens.identify(`Bearer ${mine}`)!.name;
    await person.tabTo(`Let ${name} in`);
    await person.press("Enter");
    await person.sees("approved");
    await person.tabTo("End…");
    await person.press("Enter");
    await person.tabTo("End this share");
    await person.press("Enter");
    await person.sees("ended");
    assert.equal((await world.hub.api("POST", "/v1/shares/join", mine, { code })).status, 404);

    for (const [answer, code] of [["Yes, sign it in", 200], ["No", 400]] as const) {
      const { json } = await world.hub.api("POST", "/v1/device", undefined, {}, world.port, [
        "User-Agent: <b>evil</b>",
        "Content-Type: application/json",
      ]);
      await person.open(`${world.origin}/device`, "Sign in a device · connectd hub");
      await person.tabTo("The code that the command line shows");
      await person.type(json.userCode.toLowerCase());
      await person.press("Enter");
      await person.sees("<b>evil</b>");
      await person.tabTo(answer);
      await person.press("Enter");
      await person.sees(code === 200 ? "It is signed in" : "It was turned away");
      // A reload says nothing twice.
      assert.match(await person.page.value("location.search"), /^\?done=/);
      const got = await world.hub.api("POST", "/v1/device/token", undefined, { deviceCode: json.deviceCode });
      assert.equal(got.status, code);
    }
    assert.deepEqual(person.complaints, []);
  },
});

Deno.test({
  name: "two tabs see what the other does, and whoever signs out is signed out of both",
  ignore: CHROMIUM === null,
  async fn() {
    await using world = await HubWorld.open();
    const { person } = world;
    const daemon = await world.serve(MANAGED);
    await world.signIn();
    const other = await person.tab();
    await other.open(`${world.origin}/`, "Links · connectd hub");
    await other.press("j");
    assert.match(await other.focused(), /^kept/);
    const ticked = "[...document.querySelectorAll('td > :checked')].map((box) => box.ariaLabel).join()";
    await other.page.value("document.querySelector('td > [type=checkbox]').checked = true");
    await daemon.daemon.create({ name: "a-first", target: "echo" });
    await other.sees("a-first");
    assert.equal(await other.page.value(ticked), "Choose kept");
    assert.match(await other.focused(), /^kept/);
    const path = `${world.origin}/links/${world.id("kept")}`;
    await other.open(path, "kept · connectd hub");
    await person.open(path, "kept · connectd hub");
    await person.tabTo("Revoke…");
    await person.press("Enter");
    await person.tabTo("Revoke kept");
    await person.press("Enter");
    await person.sees("✕ revoked");
    await other.sees("✕ revoked");
    // A revocation of what is revoked already is no error.
    await other.page.value(
      `fetch("${path}/revoke", { method: "POST", redirect: "manual" }).then(({ type }) => type)`,
    );

    await world.hub.visit(world.id("kept"), "GET /a<script>b HTTP/1.1");
    await other.open(`${path}/requests`, "Requests of kept · connectd hub");
    await other.sees("/a<script>b");
    await world.hub.visit(world.id("kept"), "GET /live HTTP/1.1");
    await other.sees("/live");

    await person.tabTo("Sign out");
    await person.press("Enter");
    await person.at("Sign in · connectd hub");
    await other.at("Sign in · connectd hub");
    assert.deepEqual(person.complaints, []);
  },
});

Deno.test({
  name: "a page that is open while the hub restarts says so, and comes back by itself, signed in as before",
  ignore: CHROMIUM === null,
  async fn() {
    await using world = await HubWorld.open();
    const { person } = world;
    await world.serve(MANAGED);
    const token = await world.signIn();
    await person.open(`${world.origin}/links/${world.id("kept")}`, "kept · connectd hub");
    await person.page.value("window.untouched = true");
    await world.restart(async () => {
      await person.page.until("document.querySelector('[data-stale-bar]').checkVisibility()", true);
      await person.sees("The connection was lost at");
    });
    await person.page.until("document.querySelector('[data-stale-bar]').checkVisibility()", false);
    await person.sees("● active");
    // Live again: what happens is seen, on the page that was open all the time.
    await world.daemon!.daemon.revoke("kept");
    await person.sees("✕ revoked");
    assert.equal(await person.page.value("window.untouched"), true);

    // A token that is revoked takes what it showed off the screen.
    await world.hub.hub.tokens.revoke(world.hub.hub.tokens.identify(`Bearer ${token}`)!.token!, null);
    await person.at("Sign in · connectd hub");
    assert.equal((await person.text()).includes("✕ revoked"), false);
  },
});

Deno.test({
  name: "a page of another build than the hub that comes back begins anew",
  ignore: CHROMIUM === null,
  async fn() {
    await using world = await HubWorld.open();
    const { person } = world;
    await world.signIn();
    await person.page.value("document.documentElement.dataset.build = 'another'; window.untouched = true");
    await world.restart();
    await person.page.until("window.untouched === undefined && document.readyState", "complete");
    await person.at("Links · connectd hub");
  },
});

Deno.test({
  name: "without a script the dashboard reads, its forms work, and nothing is offered that would need one",
  ignore: CHROMIUM === null,
  async fn() {
    await using world = await HubWorld.open();
    const { person } = world;
    await world.serve(MANAGED);
    await world.signIn();
    await person.page.ask("Emulation.setScriptExecutionDisabled", { value: true });
    await person.open(`${world.origin}/links/${world.id("kept")}`, "kept · connectd hub");
    const offered = "[...document.querySelectorAll('.scripted')].filter((at) => at.checkVisibility()).length";
    assert.equal(await person.page.value(offered), 0);
    await person.tabTo("Revoke…");
    await person.press("Enter");
    await person.tabTo("Revoke kept");
    await person.press("Enter");
    await person.sees("✕ revoked");
    await person.open(`${world.origin}/new`, "New link · connectd hub");
    await person.tabTo("Name");
    await person.type("plain");
    await person.press("Enter");
    await person.at("plain · connectd hub");
    await person.tabTo("Renew…");
    await person.press("Enter");
    await person.tabTo("For how long (empty: as it says)");
    await person.type("1h");
    await person.press("Enter");
    await person.sees("in 59m");
  },
});

Deno.test({
  name: "10,000 links are a page of 35, in order and by filter, and the page stays quick under them",
  ignore: CHROMIUM === null,
  async fn() {
    await using world = await HubWorld.open();
    const { person, hub } = world;
    const many = Array.from({ length: 10_000 }, (_, i) =>
      link(`n${String(i).padStart(4, "0")}`, {
        expiresAt: Date.now() + (i + 1) * 3_600_000,
      }));
    const daemon = hub.attached();
    await daemon.hello(many.slice(0, 1000));
    for (let i = 1000; i < many.length; i += 1000) await daemon.change(many.slice(i, i + 1000));
    await world.signIn("viewer");
    await person.page.value(`window.long = [];
      new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration)))
        .observe({ type: "longtask" }); 0`);
    await person.sees("10,000 links");
    assert.equal(await person.page.value("document.querySelector('tbody').rows.length"), 35);
    const began = performance.now();
    for (const name of ["n0035", "n0070", "n0105"]) {
      await person.page.value(
        "[...document.links].find(({ textContent }) => textContent === 'Next').click()",
      );
      await person.page.until("document.querySelector('tbody a')?.textContent", name);
    }
    const paged = (performance.now() - began) / 3;
    await person.open(`${world.origin}/?sort=ends&q=99`, "Links · connectd hub");
    assert.equal(await person.page.value("document.querySelector('tbody a').textContent"), "n0099");
    const size = await person.page.value<number>(
      "fetch('/').then((a) => a.text()).then((text) => text.length)",
    );
    assert.ok(size < 60 * 1024, `a page of ${size} bytes`);
    const long = await person.page.value<number[]>("window.long ?? []");
    console.log(
      `10,000 links: a page in ${Math.round(paged)} ms, ${
        Math.round(size / 1024)
      } KiB, ${long.length} long tasks`,
    );
    assert.deepEqual(person.complaints, []);
  },
});
