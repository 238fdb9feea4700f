/** The version of this program; deno.json's is held equal by a test. */
export const VERSION = "0.1.0";
