import { describe, expect, it } from "vitest";
import { type Pause, pauseFigures } from "./rebalance-pauses.ts";

const first: Pause = {
  stoppedAtMs: 1_000,
  rebalances: [{ revokedAtMs: 1_010, assignedAtMs: 4_030, generationId: 7 }],
  workingAtMs: 4_050,
};
const last: Pause = {
  stoppedAtMs: 3_900,
  rebalances: [{ revokedAtMs: 4_000, assignedAtMs: 4_025, generationId: 7 }],
  workingAtMs: 4_040,
};

describe("pauseFigures", () => {
  it("takes the wait for the last member off a pause, and nothing else", () => {
    const figures = pauseFigures([first, last], 0, 10_000);
    expect(figures).toMatchObject({ pauses: 2, beyondJoinP50: 60, beyondJoinMax: 140 });
    expect(figures).toMatchObject({ pauseP50: 140, pauseP95: 3_050 });
  });

  it("takes off all that lies between having revoked and having been assigned", () => {
    expect(pauseFigures([first, last], 0, 10_000).beyondHooksP95).toBe(115);
  });

  it("leaves out pauses that began before or ended after, but knows of them who was waited for", () => {
    const figures = pauseFigures([first, last], 0, 4_045);
    expect(figures).toMatchObject({ pauses: 1, beyondJoinMax: 140 });
    expect(pauseFigures([last, first], 0, 4_045)).toEqual(figures);
    expect(pauseFigures([first, { ...last, stoppedAtMs: -1 }], 0, 10_000)).toMatchObject({
      pauses: 1,
      beyondJoinMax: 60,
    });
  });

  it("takes the waits of all rebalances off a pause in which a member had nothing to hand out between two", () => {
    const [one] = first.rebalances;
    const twice: Pause = {
      stoppedAtMs: 1_000,
      rebalances: [...(one === undefined ? [] : [one]), { revokedAtMs: 5_000, assignedAtMs: 5_500, generationId: 8 }],
      workingAtMs: 5_600,
    };
    const other: Pause = {
      ...last,
      rebalances: [...last.rebalances, { revokedAtMs: 5_300, assignedAtMs: 5_400, generationId: 8 }],
      workingAtMs: 5_500,
    };
    // 4 600 − (4 000 − 1 010) − (5 300 − 5 000), and the other waited for nobody.
    expect(pauseFigures([twice, other], 0, 10_000)).toMatchObject({ beyondJoinP50: 1_310, beyondJoinMax: 1_600 });
  });
});
