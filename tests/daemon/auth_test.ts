import assert from "node:assert/strict";
import { hashSync } from "bcryptjs";
import { systemClock, TestClock } from "../../src/clock.ts";
import { readHtpasswd, readTokens } from "../../src/config/credentials.ts";
import type { Entry } from "../../src/core/entry.ts";
import { Auth, type AuthMeans, type Judgement } from "../../src/daemon/auth.ts";
import { AuthFiles } from "../../src/daemon/auth_file.ts";
import { Bcrypt } from "../../src/daemon/bcrypt.ts";

/** The lowest cost: these tests are about who is let in, not about how long it takes. */
const hash = (password: string, kind = "$2y$") => hashSync(password, 4).replace("$2b$", kind);
const basic = (user: string, password: string) => "Basic " + btoa(`${user}:${password}`);
const entry = (auth: Partial<Entry["auth"]>) =>
  ({ auth: { basicFile: null, bearerFile: null, ...auth } }) as Entry;

function judge(auth: Auth, authorization: string): Promise<Judgement> {
  return new Promise((resolve) => {
    const now = auth.judge(authorization, { judged: resolve });
    if (now !== null) resolve(now);
  });
}

/** Runs `test` with a directory and what links share; everything is given back at its end. */
async function withMeans(test: (dir: string, means: AuthMeans, jobs: () => number) => Promise<void>) {
  const dir = await Deno.makeTempDir();
  const bcrypt = new Bcrypt(systemClock);
  let asked = 0;
  const counted = { verify: (job) => (asked++, bcrypt.verify(job)) } as Pick<Bcrypt, "verify"> as Bcrypt;
  try {
    await test(dir, { files: new AuthFiles(systemClock), bcrypt: counted, clock: systemClock }, () => asked);
  } finally {
    bcrypt.close();
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a user with a bcrypt line is let in by the right password and no other", async () => {
  await withMeans(async (dir, means) => {
    const file = `${dir}/demo.htpasswd`;
    await Deno.writeTextFile(
      file,
      `# who may look\nann:${hash("s3cret:x")}\n\nbob:${hash("grün", "$2b$")}\n`,
    );
    const auth = Auth.open(entry({ basicFile: file }), means, () => {})!;
    await auth.ready;
    assert.equal(auth.problem, null);
    assert.equal(await judge(auth, basic("ann", "s3cret:x")), "right");
    assert.equal(await judge(auth, "bAsIc  " + btoa("ann:s3cret:x")), "right");
    const utf8 = String.fromCharCode(...new TextEncoder().encode("bob:grün"));
    assert.equal(await judge(auth, "Basic " + btoa(utf8)), "right");
    for (
      const wrong of [
        basic("ann", "s3cret"),
        basic("eve", "s3cret:x"),
        basic("", ""),
        "Basic !",
        "Basic",
        "Basic " + btoa("ann"),
      ]
    ) {
      assert.equal(await judge(auth, wrong), "wrong", wrong);
    }
    assert.equal(auth.concerns("Bearer s3cret:x"), false);
    auth.close();
  });
});

Deno.test("a verified password is not verified again for five minutes, and one sent by many is verified once", async () => {
  await withMeans(async (dir, means, jobs) => {
    const file = `${dir}/demo.htpasswd`;
    await Deno.writeTextFile(file, `ann:${hash("s3cret")}\n`);
    const clock = new TestClock();
    const auth = Auth.open(entry({ basicFile: file }), { ...means, clock }, () => {})!;
    await auth.ready;
    const all = await Promise.all(Array.from({ length: 50 }, () => judge(auth, basic("ann", "s3cret"))));
    assert.deepEqual(new Set(all), new Set(["right"]));
    clock.advance(299_000);
    assert.equal(auth.judge(basic("ann", "s3cret"), { judged() {} }), "right");
    assert.equal(jobs(), 1);
    clock.advance(2_000);
    assert.equal(await judge(auth, basic("ann", "s3cret")), "right");
    assert.equal(jobs(), 2);
    auth.close();
  });
});

Deno.test("a flood of guesses meets a full queue, and another link's visitors are still heard", async () => {
  await withMeans(async (dir, means) => {
    const file = `${dir}/demo.htpasswd`;
    await Deno.writeTextFile(file, `ann:${hash("s3cret")}\n`);
    const flooded = Auth.open(entry({ basicFile: file }), means, () => {})!;
    const other = Auth.open(entry({ basicFile: file }), means, () => {})!;
    await flooded.ready;
    const guesses = Array.from({ length: 200 }, (_, i) => judge(flooded, basic("ann", `guess ${i}`)));
    const heard = judge(other, basic("ann", "s3cret"));
    const judgements = await Promise.all(guesses);
    assert.equal(judgements.filter((judgement) => judgement === "right").length, 0);
    assert.ok(judgements.filter((judgement) => judgement === "busy").length >= 180);
    assert.equal(await heard, "right");
    flooded.close();
    other.close();
  });
});

Deno.test("any line of a token file is a credential, and nothing else is", async () => {
  await withMeans(async (dir, means) => {
    const file = `${dir}/partner.tokens`;
    await Deno.writeTextFile(file, "0123456789abcdef\r\nanother-token-of-a-partner\n");
    const auth = Auth.open(entry({ bearerFile: file }), means, () => {})!;
    await auth.ready;
    assert.equal(await judge(auth, "Bearer 0123456789abcdef"), "right");
    assert.equal(await judge(auth, "bearer another-token-of-a-partner"), "right");
    for (
      const wrong of [
        "Bearer 0123456789abcde",
        "Bearer 0123456789abcdef0",
        "Bearer",
        "Bearer ",
        "Bearer 0123456789ABCDEF",
      ]
    ) {
      assert.equal(await judge(auth, wrong), "wrong", wrong);
    }
    auth.close();
  });
});

Deno.test("with a missing, empty or broken auth file nobody is admitted, and a good one admits again", async () => {
  await withMeans(async (dir, means) => {
    const file = `${dir}/demo.htpasswd`;
    let changed = Promise.withResolvers<void>();
    const auth = Auth.open(entry({ basicFile: file }), means, () => changed.resolve())!;
    const write = async (text: string) => {
      changed = Promise.withResolvers();
      await Deno.writeTextFile(file, text);
      await changed.promise;
    };
    await auth.ready;
    assert.match(auth.problem ?? "", /there is no file .*demo\.htpasswd/);
    await write(`ann:${hash("s3cret")}\n`);
    assert.equal(auth.problem, null);
    assert.equal(await judge(auth, basic("ann", "s3cret")), "right");
    await write(`ann:${hash("s3cret")}\nbob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n`);
    assert.match(auth.problem ?? "", /demo\.htpasswd:2: only bcrypt/);
    assert.equal(await judge(auth, basic("ann", "s3cret")), "wrong");
    await write("");
    assert.match(auth.problem ?? "", /names no user/);
    await write(`ann:${hash("changed")}\n`);
    assert.equal(
      await judge(auth, basic("ann", "s3cret")),
      "wrong",
      "what was verified before the change is forgotten",
    );
    assert.equal(await judge(auth, basic("ann", "changed")), "right");
    auth.close();
  });
});

Deno.test("nothing is told of a link's auth files until all of them were read", async () => {
  await withMeans(async (dir, means) => {
    const basicFile = `${dir}/demo.htpasswd`, bearerFile = `${dir}/demo.tokens`;
    await Deno.writeTextFile(basicFile, `ann:${hash("s3cret")}\n`);
    const told: (string | null)[] = [];
    const auth = Auth.open(entry({ basicFile, bearerFile }), means, () => told.push(auth.problem))!;
    await auth.ready;
    assert.deepEqual(told, [`there is no file ${bearerFile}`]);
    auth.close();
  });
});

Deno.test("what is wrong in an htpasswd file is said with its line, and never shows the hash", () => {
  const good = hash("x");
  for (
    const [text, line, message] of [
      ["ann", 1, /expected `user:hash`/],
      [":" + good, 1, /expected `user:hash`/],
      ["# c\n\nann:$apr1$salt$hash", 3, /only bcrypt/],
      ["ann:hunter2", 1, /only bcrypt/],
      ["ann:" + good.slice(0, -1), 1, /whole bcrypt hash/],
      ["ann:" + good.replace("$2y$", "$2a$"), 1, /whole bcrypt hash/],
      ["ann:" + good.replace("$04$", "$31$"), 1, /cost above 17/],
      [`ann:${good}\nann:${good}`, 2, /stands here twice/],
      ["", 1, /names no user/],
    ] as const
  ) {
    const { problems } = readHtpasswd(text);
    assert.equal(problems.length, 1, text);
    assert.equal(problems[0].line, line, text);
    assert.match(problems[0].message, message);
    assert.doesNotMatch(problems[0].message, /hunter2/);
  }
});

Deno.test("what is wrong in a token file is said with its line, and never shows the token", () => {
  for (
    const [text, line, message] of [
      ["0123456789abcde", 1, /at least 16 bytes/],
      ["0123456789abcdef\ntwo words are no token", 2, /without spaces/],
      ["# nobody\n", 1, /holds no token/],
    ] as const
  ) {
    const { problems } = readTokens(text);
    assert.equal(problems.length, 1, text);
    assert.equal(problems[0].line, line);
    assert.match(problems[0].message, message);
    assert.doesNotMatch(problems[0].message, /0123|words/);
  }
});
