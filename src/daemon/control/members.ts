/** Small bodies of the control API, read member by member. */
import { ApiProblem, type BodyError } from "../../api/problem.ts";

/** Throws ApiProblem where `body`, which stands at `place` (RFC 6901), has members that are not known, or that `known` finds wrong. */
export function checkMembers(
  body: Record<string, unknown>,
  known: Record<string, (value: unknown) => string | null>,
  place = "",
): void {
  const errors = Object.entries(body).flatMap(([member, value]): BodyError[] => {
    const detail = Object.hasOwn(known, member) ? known[member](value) : "is not known";
    return detail === null
      ? []
      : [{ pointer: `${place}/${member.replaceAll("~", "~0").replaceAll("/", "~1")}`, detail }];
  });
  if (errors.length > 0) throw new ApiProblem(422, "invalid", "The body can not be taken.", [], errors);
}

/** A check for `checkMembers`. */
export function isFlag(value: unknown): string | null {
  return typeof value === "boolean" ? null : "is neither true nor false";
}
