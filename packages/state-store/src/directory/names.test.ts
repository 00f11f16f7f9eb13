import { dirname, isAbsolute, join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidStateNameError, UnsafeStateDirectoryError } from "./directory-errors.ts";
import { checkApplicationId, checkStoreName, checkTaskId, isTaskId, pathUnder } from "./names.ts";

const ROOT = resolve("/var/lib/eos");

const CHECKS = { applicationId: checkApplicationId, "task id": checkTaskId, "store name": checkStoreName };

const HOSTILE = [
  "",
  ".",
  "..",
  "../other",
  "a/../../b",
  "a/b",
  "a\\b",
  "/etc",
  "C:\\x",
  "a\0b",
  "a\nb",
  "a\n",
  "a b",
  "ä",
  "a\u2025",
  "%2e%2e",
  "~",
  "$HOME",
  "x".repeat(250),
];

const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.string({ unit: fc.constantFrom(".", "/", "\\", "\0", "\n", "_", "-", "0", "1", "a", "Z", " "), maxLength: 12 }),
  fc.constantFrom(...HOSTILE),
);

describe.each(Object.entries(CHECKS))("the check of a %s", (kind, check) => {
  it("lets only such names through as name one folder right below", () => {
    fc.assert(
      fc.property(hostile, (name) => {
        try {
          check(name);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidStateNameError);
          expect(error).toMatchObject({ code: "EOS_INVALID_STATE_NAME", severity: "fatal", kind });
          return;
        }
        const path = join(ROOT, name);
        expect(dirname(path)).toBe(ROOT);
        expect(path).toBe(`${ROOT}/${name}`);
        expect(pathUnder(ROOT, name)).toBe(path);
        expect(name).toMatch(/^[a-zA-Z0-9._-]{1,249}$/);
      }),
      { numRuns: 2_000 },
    );
  });

  it("refuses what would lead elsewhere, or be another name on disk", () => {
    for (const name of HOSTILE) expect(() => check(name), JSON.stringify(name)).toThrow(InvalidStateNameError);
  });

  it("does not write a long name into its message", () => {
    expect(() => check("y".repeat(10_000))).toThrow(/a name of 10000 characters/);
  });
});

describe("names", () => {
  it("may be those of topics", () => {
    for (const name of ["counts", "my-store_1.v2", "x".repeat(249), "a..b", "-"]) {
      checkStoreName(name);
      checkApplicationId(name);
    }
  });

  it("of stores do not begin with a dot, as the directory's own do", () => {
    for (const name of [".lock", ".locks", ".deleted-1", "..."]) {
      expect(() => checkStoreName(name)).toThrow(InvalidStateNameError);
      checkApplicationId(`${name}x`);
    }
  });

  it("of tasks have one spelling each", () => {
    for (const taskId of ["0_0", "1_12", "10_0", "4294967295_1"]) {
      expect(isTaskId(taskId)).toBe(true);
      checkTaskId(taskId);
    }
    for (const taskId of ["00_0", "0_01", "-1_0", "0_0_0", "0_", "_0", "0", "0-0", "1e3_0", "99999999999_0"]) {
      expect(isTaskId(taskId)).toBe(false);
      expect(() => checkTaskId(taskId)).toThrow("two numbers, as in '0_12'");
    }
  });
});

describe("pathUnder", () => {
  it("never leaves its root, also with names that nobody has checked", () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 3 }), (names) => {
        let path: string;
        try {
          path = pathUnder(ROOT, ...names);
        } catch (error) {
          expect(error).toBeInstanceOf(UnsafeStateDirectoryError);
          return;
        }
        expect(isAbsolute(path)).toBe(true);
        expect(path.length).toBeGreaterThan(ROOT.length + 1);
        expect(path.startsWith(`${ROOT}/`)).toBe(true);
        expect(path.split("/").includes("..")).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });
});
