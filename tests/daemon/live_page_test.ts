/** What a page that stays open is told. */
import assert from "node:assert/strict";
import { Talk } from "../e2e/talk.ts";
import { PageRig } from "./page_rig.ts";

const LINKS = "links:\n  web: { target: echo }\n  other: { target: echo }";

/** The events of one page, as its script gets them. */
class Watch implements AsyncDisposable {
  readonly events: { type: string; data: unknown }[] = [];
  #text = "";
  readonly over: Promise<void>;

  private constructor(private readonly talk: Talk, private readonly page: PageRig) {
    this.over = talk.body("chunked", (bytes) => this.#take(new TextDecoder().decode(bytes))).then(
      () => {},
      () => {},
    );
  }

  static async open(page: PageRig, path: string): Promise<Watch> {
    const talk = await Talk.to(Number(page.port));
    const fields = [`Host: ${page.host}`, `Cookie: ${page.cookie}`, "Accept: text/event-stream"];
    await talk.write(`GET ${path} HTTP/1.1\r\n${fields.join("\r\n")}\r\n\r\n`);
    const head = await talk.head();
    assert.match(head!.first, / 200 /);
    assert.equal(head!.fields.get("content-type"), "text/event-stream");
    return new Watch(talk, page);
  }

  #take(text: string): void {
    this.#text += text;
    const blocks = this.#text.split("\n\n");
    this.#text = blocks.pop()!;
    for (const block of blocks) {
      const [, type, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
      if (type !== undefined) this.events.push({ type, data: JSON.parse(data) });
    }
  }

  /** Lets time go by until an event of that type has `text` in it, and takes it out. */
  async until(type: string, text: string): Promise<string> {
    for (let i = 0; i < 200; i++) {
      const at = this.events.findIndex((event) =>
        event.type === type && JSON.stringify(event.data).includes(text)
      );
      if (at >= 0) return JSON.stringify(this.events.splice(at, 1)[0].data);
      await this.page.rig.pass(1000);
    }
    throw new Error(`no ${type} with ${text}: ${JSON.stringify(this.events)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.talk.close();
    await this.over;
  }
}

async function signedIn(): Promise<PageRig> {
  const page = await PageRig.start(LINKS);
  await page.signIn();
  return page;
}

Deno.test("a page shows a link's end as it comes", async () => {
  await using page = await signedIn();
  await using watch = await Watch.open(page, "/links/web");
  await watch.until("patch", "●");
  await page.rig.daemon.revoke("web");
  await watch.until("patch", "revoked");
});

Deno.test("new requests come as rows, and only those that the query asks for", async () => {
  await using page = await signedIn();
  const { hub } = page.rig;
  await using watch = await Watch.open(page, "/requests?link=web&path=/in");
  await watch.until("patch", "data-rows");
  await hub.visit(hub.id("other"), "GET /in/1");
  await hub.visit(hub.id("web"), "GET /out");
  await hub.visit(hub.id("web"), "GET /in/2");
  const rows = await watch.until("rows", "/in/");
  assert.match(rows, /\/in\/2/);
  assert.doesNotMatch(rows, /\/in\/1|\/out/);
});

Deno.test("of more requests than a person can see, the newest come, and how many did not", async () => {
  await using page = await signedIn();
  const { hub } = page.rig;
  await using watch = await Watch.open(page, "/requests");
  await watch.until("patch", "data-rows");
  for (let i = 0; i < 250; i++) await hub.visit(hub.id("web"), `GET /n/${i}.`);
  const rows = JSON.parse(await watch.until("rows", "/n/249.")) as { html: string; missed: number };
  assert.equal([...rows.html.matchAll(/<tr/g)].length + rows.missed, 250);
  assert.equal([...rows.html.matchAll(/<tr/g)].length, 100);
  assert.ok(rows.html.indexOf("/n/249.") < rows.html.indexOf("/n/150."));
});

Deno.test("whoever signs out sees nothing more, in tabs that are open either", async () => {
  await using page = await signedIn();
  await using watch = await Watch.open(page, "/");
  await watch.until("patch", "web");
  await page.post("/sign-out");
  let ended = false;
  watch.over.then(() => ended = true);
  for (let i = 0; i < 50 && !ended; i++) await page.rig.pass(1000);
  assert.ok(ended);
});

Deno.test("nobody watches requests when the last page is closed", async () => {
  await using page = await signedIn();
  const { live } = (page.rig.daemon as unknown as { witnesses: { live: { watchers: number } } }).witnesses;
  {
    await using watch = await Watch.open(page, "/requests");
    await watch.until("patch", "data-rows");
    assert.equal(live.watchers, 1);
  }
  for (let i = 0; i < 50 && live.watchers > 0; i++) await page.rig.pass(1000);
  assert.equal(live.watchers, 0);
});
