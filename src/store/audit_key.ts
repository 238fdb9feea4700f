/** The key that signs heads of a trail: in the state directory, for its owner only. */
import { Buffer } from "node:buffer";
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import { type Head, headText, type SignedHead } from "../core/audit.ts";
import { Failure } from "../core/errors.ts";

export class AuditKey {
  /** The public key, SPKI DER in base64url. */
  readonly public: string;

  private constructor(private readonly key: KeyObject) {
    this.public = createPublicKey(key).export({ type: "spki", format: "der" }).toString("base64url");
  }

  /** The key in `audit.key` below `folder`, made where there is none. Throws Failure. */
  static async open(folder: string): Promise<AuditKey> {
    const path = `${folder}/audit.key`;
    try {
      return new AuditKey(createPrivateKey(await Deno.readTextFile(path).catch(absent) ?? await make(path)));
    } catch (cause) {
      throw new Failure(`the key ${path} can not be used: ${(cause as Error).message}`, {
        hint: "check who owns it; without it heads can be neither signed nor checked",
        cause,
      });
    }
  }

  sign({ seq, hash }: Head, at: string): SignedHead {
    const signature = sign(null, Buffer.from(headText({ seq, hash, at })), this.key).toString("base64url");
    return { seq, hash, at, key: this.public, signature };
  }
}

/** Whether `head` was signed by the key that it names. */
export function isSigned(head: SignedHead): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(head.key, "base64url"), type: "spki", format: "der" });
    return verify(null, Buffer.from(headText(head)), key, Buffer.from(head.signature, "base64url"));
  } catch {
    return false;
  }
}

function absent(error: unknown): null {
  if (error instanceof Deno.errors.NotFound) return null;
  throw error;
}

/** Written aside and linked: of two that make one at the same time the first wins, and a reader finds a whole key. */
async function make(path: string): Promise<string> {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  const aside = `${path}.${randomBytes(6).toString("hex")}`;
  await Deno.writeTextFile(aside, pem, { mode: 0o600, createNew: true });
  try {
    await Deno.link(aside, path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  } finally {
    await Deno.remove(aside);
  }
  return await Deno.readTextFile(path);
}
