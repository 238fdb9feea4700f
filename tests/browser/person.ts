/** Somebody at a browser: looks, types, goes by keyboard, and notes whatever a browser complains of. */
import { latin1 } from "../../src/core/latin1.ts";
import type { Rig } from "../e2e/rig.ts";
import { Page } from "../protocols/chromium.ts";

/** The keys that are no letters, as the protocol wants them. */
const KEYS: Readonly<Record<string, { code: string; key: number; text?: string }>> = {
  Tab: { code: "Tab", key: 9 },
  Enter: { code: "Enter", key: 13, text: "\r" },
  Escape: { code: "Escape", key: 27 },
  ArrowUp: { code: "ArrowUp", key: 38 },
  ArrowDown: { code: "ArrowDown", key: 40 },
  " ": { code: "Space", key: 32, text: " " },
};

interface Entry {
  readonly level: string;
  readonly text: string;
  readonly url?: string;
}

export class Person implements AsyncDisposable {
  /** What was wrong: errors of the console, uncaught exceptions, violations of the CSP. */
  readonly complaints: string[] = [];
  /** Every address that the browser asked. */
  readonly asked: string[] = [];

  private constructor(readonly page: Page) {}

  static async open(rig: Rig, program: string): Promise<Person> {
    return await Person.#at(await Page.open(rig, program));
  }

  /** The same person at another tab; it ends with the browser. */
  async tab(): Promise<Person> {
    return await Person.#at(await this.page.tab());
  }

  static async #at(page: Page): Promise<Person> {
    const person = new Person(page);
    page.on<{ entry: Entry }>("Log.entryAdded", ({ entry }) => {
      if (entry.level === "error" || entry.level === "warning") {
        person.complaints.push(`${entry.text} ${entry.url ?? ""}`);
      }
    });
    page.on<{ type: string; args: { value?: unknown; description?: string }[] }>(
      "Runtime.consoleAPICalled",
      ({ type, args }) => {
        if (type === "error" || type === "warning") {
          person.complaints.push(
            args.map(({ value, description }) => description ?? String(value)).join(" "),
          );
        }
      },
    );
    page.on<{ exceptionDetails: { text: string; exception?: { description?: string } } }>(
      "Runtime.exceptionThrown",
      ({ exceptionDetails: { text, exception } }) => person.complaints.push(exception?.description ?? text),
    );
    page.on<{ request: { url: string } }>("Network.requestWillBeSent", ({ request }) => {
      if (!request.url.startsWith("data:")) person.asked.push(request.url);
    });
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await page.ask(`${domain}.enable`);
    // A window that is not in front has no focus, and a clipboard that nobody may write.
    await page.ask("Emulation.setFocusEmulationEnabled", { enabled: true });
    await page.ask("Browser.grantPermissions", {
      permissions: ["clipboardReadWrite", "clipboardSanitizedWrite"],
    });
    return person;
  }

  /** Goes to `url` and waits until a document with this title stands. */
  async open(url: string, title: string): Promise<void> {
    await this.page.go(url);
    await this.at(title);
  }

  /** Waits until a document with this title stands. */
  async at(title: string): Promise<void> {
    await this.page.until("`${document.readyState} ${document.title}`", `complete ${title}`);
  }

  /** Presses keys one after another: names of KEYS, or letters. */
  async press(...keys: string[]): Promise<void> {
    for (const key of keys) {
      const known = KEYS[key] ?? { code: "", key: 0, text: key };
      const event = {
        key,
        code: known.code,
        windowsVirtualKeyCode: known.key,
        nativeVirtualKeyCode: known.key,
      };
      await this.page.ask("Input.dispatchKeyEvent", {
        ...event,
        type: known.text === undefined ? "rawKeyDown" : "keyDown",
        ...(known.text === undefined ? {} : { text: known.text }),
      });
      await this.page.ask("Input.dispatchKeyEvent", { ...event, type: "keyUp" });
    }
  }

  /** Types into what has the focus. */
  async type(text: string): Promise<void> {
    await this.page.ask("Input.insertText", { text });
  }

  /** Goes on by Tab until what has the focus says `text`. Throws where it comes around without. */
  async tabTo(text: string): Promise<void> {
    for (let i = 0; i < 200; i++) {
      await this.press("Tab");
      if (await this.focused() === text) return;
    }
    throw new Error(`nothing that says ${JSON.stringify(text)} can be reached by Tab`);
  }

  /** What the element with the focus is called. */
  async focused(): Promise<string> {
    return await this.page.value(`(() => {
      const at = document.activeElement;
      return (at.ariaLabel ?? at.labels?.[0]?.textContent ?? at.textContent).trim().replaceAll(/\\s+/g, " ");
    })()`);
  }

  /** The text of the page, or of the first element that fits. */
  async text(selector = "body"): Promise<string> {
    return await this.page.value(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ""`);
  }

  /** Waits until the text of the page has it. */
  async sees(text: string): Promise<void> {
    await this.page.until(`document.body.innerText.includes(${JSON.stringify(text)})`, true);
  }

  /** A window of that width, and the theme that its owner likes. */
  async window(width: number, theme: "light" | "dark", height = 800): Promise<void> {
    await this.page.ask("Emulation.setDeviceMetricsOverride", {
      ...{ width, height, deviceScaleFactor: 1, mobile: false },
    });
    await this.page.ask("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: theme }],
    });
  }

  /** From now on documents come with the field `from` called `to`, as if the server had said so. */
  async renameField(from: string, to: string): Promise<void> {
    type Fields = { name: string; value: string }[];
    this.page.on<{ requestId: string; responseStatusCode: number; responseHeaders: Fields }>(
      "Fetch.requestPaused",
      async ({ requestId, responseStatusCode, responseHeaders }) => {
        const fields = responseHeaders.map(({ name, value }) => ({
          name: name.toLowerCase() === from ? to : name,
          value,
        }));
        // An answer that is only continued keeps the policy that it came with.
        const kept = await this.page.ask<{ body: string; base64Encoded: boolean }>("Fetch.getResponseBody", {
          requestId,
        });
        await this.page.ask("Fetch.fulfillRequest", {
          requestId,
          responseCode: responseStatusCode,
          responseHeaders: fields,
          body: kept.base64Encoded ? kept.body : btoa(latin1(new TextEncoder().encode(kept.body))),
        });
      },
    );
    await this.page.ask("Fetch.enable", {
      patterns: [{ urlPattern: "*", resourceType: "Document", requestStage: "Response" }],
    });
  }

  /** What is in the window, as a PNG. */
  async picture(path: string): Promise<void> {
    const { data } = await this.page.ask<{ data: string }>("Page.captureScreenshot", { format: "png" });
    await Deno.writeFile(path, Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page[Symbol.asyncDispose]();
  }
}
