/** Who may have a name: the rules as a table. */
import assert from "node:assert/strict";
import { type Claimant, type ClaimVerdict, HOLD_MS, judgeClaim } from "../../src/hub/claim.ts";
import type { NameRecord } from "../../src/hub/link.ts";

const NOW = Date.UTC(2026, 5, 1);
const RECORD: NameRecord = {
  id: "demo",
  workspace: "acme",
  daemon: "d1",
  name: "web",
  subdomain: true,
  declaredAt: NOW - 1000,
  declared: true,
  expiresAt: null,
  ended: null,
  revokedAt: null,
  revokePending: false,
  activatedAt: null,
  service: null,
  source: null,
};
const OWN: Claimant = { workspace: "acme", daemon: "d1", name: "web" };
const ONLINE = { online: true, yields: false };
const AWAY = { online: false, yields: false };
const LONG_AWAY = { online: false, yields: true };

const CASES: [
  title: string,
  record: Partial<NameRecord>,
  by: Partial<Claimant>,
  holder: typeof AWAY,
  ClaimVerdict,
][] = [
  ["its own link has it again", {}, {}, AWAY, "own"],
  ["its own link has it again after it ended", { ended: "link_revoked" }, {}, AWAY, "own"],
  ["another link of the daemon does not, while both are declared", {}, { name: "api" }, ONLINE, "taken"],
  [
    "another link of the daemon does, once the first is gone",
    { declared: false },
    { name: "api" },
    ONLINE,
    "free",
  ],
  [
    "a random id goes to no other link, not even there",
    { declared: false, subdomain: false },
    { name: "api" },
    ONLINE,
    "taken",
  ],
  ["another daemon of the workspace waits while the holder is there", {}, { daemon: "d2" }, ONLINE, "taken"],
  ["another daemon of the workspace waits a minute", {}, { daemon: "d2" }, AWAY, "taken"],
  ["another daemon of the workspace gets it after that", {}, { daemon: "d2" }, LONG_AWAY, "free"],
  ["a random id is never another daemon's", { subdomain: false }, { daemon: "d2" }, LONG_AWAY, "taken"],
  ["another workspace does not get it", {}, { workspace: "evil" }, LONG_AWAY, "taken"],
  ["nor by claiming the daemon's id", {}, { workspace: "evil", daemon: "d1" }, LONG_AWAY, "taken"],
  [
    "nor when it ended",
    { ended: "link_removed", declared: false },
    { workspace: "evil" },
    LONG_AWAY,
    "taken",
  ],
  [
    "nor a moment before the hold is over",
    { declaredAt: NOW - HOLD_MS + 1 },
    { workspace: "evil" },
    LONG_AWAY,
    "taken",
  ],
  [
    "another workspace gets it when the hold is over",
    { declaredAt: NOW - HOLD_MS },
    { workspace: "evil" },
    LONG_AWAY,
    "free",
  ],
  [
    "but not while the holder is there",
    { declaredAt: NOW - HOLD_MS },
    { workspace: "evil" },
    ONLINE,
    "taken",
  ],
  [
    "a random id stays a tombstone for ever",
    { declaredAt: 1, subdomain: false },
    { workspace: "evil" },
    LONG_AWAY,
    "taken",
  ],
];

for (const [title, record, by, holder, verdict] of CASES) {
  Deno.test(`names: ${title}`, () => {
    assert.equal(judgeClaim({ ...RECORD, ...record }, { ...OWN, ...by }, holder, NOW), verdict);
  });
}
