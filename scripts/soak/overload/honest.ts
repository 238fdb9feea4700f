/**
 * Honest visitors, as a process of their own: each keeps one connection, asks for little, and asks again when it has the
 * answer. A line a second: how long answers took, in tenths of a ms, and what went wrong.
 *
 *     honest.ts HOST PORT VISITORS PAUSE_MS
 */
import { endingOf, Talk } from "../../../tests/e2e/talk.ts";

const [hostname, port, visitors, pause] = [Deno.args[0], ...Deno.args.slice(1).map(Number)] as [
  string,
  number,
  number,
  number,
];
const GET = "GET / HTTP/1.1\r\nHost: demo.localhost\r\n\r\n";
let times: number[] = [], errors: string[] = [];

async function visit(): Promise<void> {
  for (;;) {
    try {
      using talk = new Talk(await Deno.connect({ hostname, port }));
      for (;;) {
        const begin = performance.now();
        await talk.write(GET);
        const head = await talk.head();
        if (head === null) throw new Error("cut instead of an answer");
        await talk.body(endingOf(head, 0), () => {});
        times.push(Math.round((performance.now() - begin) * 10));
        if (!head.first.startsWith("HTTP/1.1 200")) errors.push(head.first);
        await new Promise((over) => setTimeout(over, pause));
      }
    } catch (error) {
      errors.push(String(error));
      // Whoever finds nobody does not call as fast as it can.
      await new Promise((over) => setTimeout(over, 200));
    }
  }
}

setInterval(() => {
  console.log(JSON.stringify({ times, errors }));
  times = [];
  errors = [];
}, 1_000);
await Promise.all(Array.from({ length: visitors }, visit));
