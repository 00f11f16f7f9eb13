import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { LogDisplay, TerminalDisplay } from "./display.ts";

class Sink extends Writable {
  text = "";
  readonly isTTY = true;
  readonly columns = 80;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString("utf8");
    done();
  }

  /** Without the time before each line. */
  get lines(): string[] {
    return this.text
      .replaceAll(/^\S+Z /gm, "")
      .split("\n")
      .slice(0, -1);
  }
}

describe("LogDisplay", () => {
  it("tells of a restore every five seconds, and how it ended", () => {
    const [out, err] = [new Sink(), new Sink()];
    let nowMs = 0;
    const display = new LogDisplay(out, err, () => nowMs);
    for (const done of [1_000, 2_000, 3_000, 4_000]) {
      display.restoring(done, 10_000);
      nowMs += 2_000;
    }
    display.restored(9_900, 8_040);
    display.restored(0, 0);
    display.restoring(1, 2);
    display.warning("look");
    expect(out.lines).toEqual([
      "restoring the totals: offset 1,000 of 10,000",
      "restoring the totals: offset 4,000 of 10,000",
      "restored 9,900 records from the changelog in 8.0 s",
      "restoring the totals: offset 1 of 2",
    ]);
    expect(err.lines).toEqual(["look"]);
  });
});

describe("TerminalDisplay", () => {
  it("draws a bar while a restore goes on, keeps lines above it, and leaves a line instead of it", () => {
    const out = new Sink();
    const display = new TerminalDisplay(out, new Sink());
    display.line("before");
    expect(out.lines).toEqual(["before"]);
    display.restoring(250, 1_000);
    display.restoring(500, 1_000);
    display.line("meanwhile");
    display.restored(990, 1_000);
    display.close();
    expect(out.text).toContain("restoring the totals");
    expect(out.text).toMatch(/\d+ % │ offset [\d,]+ of 1,000/);
    expect(out.text).toContain("meanwhile");
    expect(out.text).toMatch(/restored 990 records from the changelog in 1\.0 s\n$/);
    // The cursor that the bar had hidden is back.
    expect(out.text.lastIndexOf("\u001b[?25h")).toBeGreaterThan(out.text.lastIndexOf("\u001b[?25l"));
  });
});
