import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { GroupView } from "./group-view.ts";
import { TerminalDisplay } from "./terminal-display.ts";

class FakeTerminal extends PassThrough {
  columns = 100;
  rows = 30;
  isColoured = false;
  hasColors(): boolean {
    return this.isColoured;
  }
  /** What was written since it was last asked for. */
  written(): string {
    return String(this.read() ?? "");
  }
}

const VIEW: GroupView = {
  groupId: "workers",
  input: "in",
  output: "out",
  processId: 1,
  state: "RUNNING",
  members: 1,
  flights: 0,
  flightsPerSecond: 0,
  alerts: 0,
  skipped: 0,
  failed: 0,
  lag: null,
  lagProblem: null,
};
/** Title, totals, a blank, the lag, a blank, the keys. */
const LINES = 6;

function open(): { terminal: FakeTerminal; errors: PassThrough; display: TerminalDisplay } {
  const [terminal, errors] = [new FakeTerminal(), new PassThrough()];
  const display = new TerminalDisplay(terminal, errors);
  expect(terminal.written()).toBe("\u001b[?25l");
  return { terminal, errors, display };
}

describe("TerminalDisplay", () => {
  it("draws over what it has drawn", () => {
    const { terminal, display } = open();
    display.show(VIEW);
    const first = terminal.written();
    expect(first.split("\n")).toHaveLength(LINES + 1);
    display.show(VIEW);
    expect(terminal.written()).toBe(`\u001b[${LINES}A\r\u001b[J${first}`);
  });

  it("goes up as many lines as the terminal has made of them since it became narrower", () => {
    const { terminal, display } = open();
    display.show(VIEW);
    const longer = terminal
      .written()
      .split("\n")
      .filter((line) => line.length > 30);
    terminal.columns = 30;
    display.show(VIEW);
    const wrapped = longer.reduce((sum, line) => sum + Math.ceil(line.length / 30) - 1, 0);
    expect(wrapped).toBeGreaterThan(0);
    expect(terminal.written()).toMatch(new RegExp(`^\\u001b\\[${LINES + wrapped}A`));
  });

  it("lets events scroll away above the screen, and warnings go to stderr", () => {
    const { terminal, errors, display } = open();
    display.show(VIEW);
    const screen = terminal.written();
    const erased = `\u001b[${LINES}A\r\u001b[J`;
    display.event("scaled to 2");
    expect(terminal.written().replace(/\d{4}-\S+Z /, "")).toBe(`${erased}scaled to 2\n${screen}`);
    display.warning("a record was skipped");
    expect(terminal.written()).toBe(`${erased}${screen}`);
    expect(String(errors.read())).toMatch(/Z a record was skipped\n$/);
  });

  it("shows the cursor again at the end, and leaves the last screen where it is", () => {
    const { terminal, display } = open();
    display.show(VIEW);
    terminal.written();
    display.close();
    display.close();
    display.show(VIEW);
    expect(terminal.written()).toBe("\u001b[?25h");
    display.event("late");
    expect(terminal.written()).toMatch(/^\S+ late\n$/);
  });

  it("uses colours only where the terminal has them", () => {
    const { terminal, display } = open();
    display.show(VIEW);
    expect(terminal.written()).not.toContain("\u001b[1m");
    terminal.isColoured = true;
    display.show(VIEW);
    expect(terminal.written()).toContain("\u001b[1mdelay-alerts");
  });
});
