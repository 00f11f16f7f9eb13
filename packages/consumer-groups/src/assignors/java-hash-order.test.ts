import { describe, expect, test } from "vitest";
import { javaHashOrder, javaPartitionHash, javaStringHash } from "./java-hash-order.ts";

function inHashOrder(keys: string): string {
  const list = keys.split(" ");
  return javaHashOrder(list)
    .map((index) => list[index])
    .join(" ");
}

// What a JVM printed.
describe("The order of Java's HashMap", () => {
  test("Hash codes are Java's, also of text that is no ASCII.", () => {
    expect(javaStringHash("orders")).toBe(-1008770331);
    expect(javaStringHash("Zürich-日本")).toBe(-1457900970);
    expect(javaPartitionHash("orders", 7)).toBe(-1008769153);
  });

  test("Keys that fall into one bucket stay in the order in which they were put.", () => {
    expect(inHashOrder("z18 BB Aa member-1 member-2 q")).toBe("z18 BB Aa q member-1 member-2");
  });

  test("A map that is three quarters full doubles its buckets, which changes the order.", () => {
    const keys =
      "consumer-1 consumer-2 consumer-3 a b c d e f g h i Aa BB orders audit flights z10 z11 z12 z13 z14 z15 z16 z17 z18";
    expect(inHashOrder(keys)).toBe(
      "Aa BB consumer-3 consumer-2 consumer-1 audit z10 z12 z11 z14 z13 z16 z15 z18 a z17 b c d e f g h i orders flights",
    );
  });
});
