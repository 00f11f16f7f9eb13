import { describe, expect, it } from "vitest";
import { Rate } from "./rate.ts";

describe("Rate", () => {
  it("is not known before there are two samples at different times", () => {
    const rate = new Rate();
    expect(rate.perSecond).toBeNull();
    rate.add(1_000, 5);
    rate.add(1_000, 7);
    expect(rate.perSecond).toBeNull();
  });

  it("is that of the last five seconds", () => {
    const rate = new Rate();
    for (let second = 0; second <= 20; second++) rate.add(second * 1_000, second <= 10 ? second * 100 : 1_000 + second);
    expect(rate.perSecond).toBe(1);
  });

  it("covers two samples however far apart they are", () => {
    const rate = new Rate();
    rate.add(0, 0);
    rate.add(60_000, 600);
    expect(rate.perSecond).toBe(10);
  });

  it("is 0 when the count went back", () => {
    const rate = new Rate();
    rate.add(0, 500);
    rate.add(1_000, 20);
    expect(rate.perSecond).toBe(0);
  });
});
