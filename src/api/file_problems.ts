/** What is wrong with links.yaml or hub.yaml, as both APIs print it. */
import { object, type Schema } from "./documentation.ts";

const TEXT: Schema = { type: "string" };

/** One thing wrong with a file (interfaces: Reload). */
const FILE_PROBLEM: Schema = {
  title: "FileProblem",
  ...object({
    file: TEXT,
    line: { type: "integer", minimum: 1 },
    column: { type: "integer", minimum: 1, description: "In UTF-16 units, as editors count." },
    severity: { type: "string", enum: ["error", "warning"] },
    code: TEXT,
    message: TEXT,
    source: { ...TEXT, description: "The line as it stands." },
    hint: TEXT,
  }, ["hint"]),
};

export const FILE_PROBLEMS: Schema = { type: "array", items: FILE_PROBLEM };
