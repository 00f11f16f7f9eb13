import type { FetchedRecord } from "@eos/client";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Envelope, RecordStream } from "./record-stream.ts";
import { Delivery, type DeliveryOwner, type UnknownRecord } from "./work/delivery.ts";
import { DeliveryAbandoned } from "./work/delivery-abandoned.ts";
import { quiet } from "./work/work-fixture.ts";

type BytesRecord = FetchedRecord<Buffer, Buffer>;

const OWNER: DeliveryOwner<UnknownRecord> = {
  completed: () => {},
  again: () => {},
  blame: ({ subject }, error) => ({ record: subject, error }),
  blamed: ({ subject }) => [subject],
  slotFree: () => {},
};

interface Offered {
  readonly delivery: Delivery<UnknownRecord>;
  /** What became of it. */
  outcome: "open" | "acked" | "abandoned" | "failed";
}

function setUp() {
  const stream = new RecordStream<Buffer, Buffer>();
  const offered: Offered[] = [];
  /** As the handling does it. */
  const offer = (offset: number): Offered => {
    const record = { topic: "in", partition: 0, offset } as UnknownRecord;
    const one: Offered = { delivery: new Delivery(record, OWNER, null), outcome: "open" };
    one.delivery.phase = "in-hand";
    offered.push(one);
    stream.offer(record, one.delivery).then(
      () => {
        if (one.delivery.isDropped) return;
        one.delivery.phase = "completed";
        one.outcome = "acked";
      },
      (error: unknown) => {
        one.outcome = error instanceof DeliveryAbandoned ? "abandoned" : "failed";
      },
    );
    return one;
  };
  return { stream, offer, offered };
}

type Next = IteratorResult<Envelope<BytesRecord>, void>;

/** What an iterator has given by now, and what its last `next` waits for. */
function reading(iterator: AsyncIterator<Envelope<BytesRecord>, void, void>) {
  const given: Envelope<BytesRecord>[] = [];
  const state = { given, isWaiting: false, isDone: false, error: null as unknown };
  const read = async (): Promise<void> => {
    state.isWaiting = true;
    try {
      const next: Next = await iterator.next();
      if (next.done === true) state.isDone = true;
      else given.push(next.value);
    } catch (error) {
      state.error = error;
    }
    state.isWaiting = false;
  };
  return { state, read, offsets: () => given.map(({ record }) => record.offset) };
}

describe("RecordStream", () => {
  it("gives records in order, and completes each when it is acknowledged", async () => {
    const { stream, offer, offered } = setUp();
    const reader = reading(stream.envelopes(10));
    for (const offset of [0, 1, 2]) offer(offset);
    for (let count = 0; count < 3; count++) await reader.read();
    expect(reader.offsets()).toEqual([0, 1, 2]);
    reader.state.given[1]?.ack();
    reader.state.given[2]?.nack(new Error("broken"));
    await quiet(1);
    expect(offered.map(({ outcome }) => outcome)).toEqual(["open", "acked", "failed"]);
  });

  it("gives no more than maxInFlight before one of them is settled", async () => {
    const { stream, offer } = setUp();
    const reader = reading(stream.envelopes(2));
    for (const offset of [0, 1, 2, 3]) offer(offset);
    await reader.read();
    await reader.read();
    const third = reader.read();
    await quiet(1);
    expect(reader.offsets()).toEqual([0, 1]);
    reader.state.given[1]?.ack();
    await third;
    const fourth = reader.read();
    reader.state.given[0]?.nack(new Error("broken"));
    await fourth;
    expect(reader.offsets()).toEqual([0, 1, 2, 3]);
  });

  it("does not wait for records that were dropped in the hands of the reader", async () => {
    const { stream, offer } = setUp();
    const reader = reading(stream.envelopes(1));
    const first = offer(0);
    offer(1);
    await reader.read();
    const second = reader.read();
    await quiet(1);
    expect(reader.offsets()).toEqual([0]);
    first.delivery.drop(new Error("revoked"));
    await second;
    expect(reader.offsets()).toEqual([0, 1]);
    expect(reader.state.given[0]?.signal.aborted).toBe(true);
  });

  it("counts the time that somebody has a record from when they took it, and none while nobody has it", async () => {
    const { stream, offer } = setUp();
    const one = offer(0);
    expect(one.delivery).toMatchObject({ isUntaken: true, sinceMs: 0 });
    const beforeMs = performance.now();
    const iterator = stream.envelopes(1);
    await reading(iterator).read();
    expect(one.delivery.isUntaken).toBe(false);
    expect(one.delivery.sinceMs).toBeGreaterThanOrEqual(beforeMs);
    await iterator.return?.();
    expect(one.delivery.isUntaken).toBe(true);
  });

  it("leaves out records that were dropped before anybody took them", async () => {
    const { stream, offer } = setUp();
    const first = offer(0);
    offer(1);
    first.delivery.drop(new Error("revoked"));
    const reader = reading(stream.envelopes(1));
    await reader.read();
    expect(reader.offsets()).toEqual([1]);
  });

  it("gives what one iterator has not acknowledged to the next one, first and in order", async () => {
    const { stream, offer } = setUp();
    for (const offset of [0, 1, 2, 3]) offer(offset);
    const iterator = stream.envelopes(10);
    const first = reading(iterator);
    for (let count = 0; count < 3; count++) await first.read();
    first.state.given[1]?.ack();
    await quiet(1);
    await iterator.return?.();
    const second = reading(stream.envelopes(10));
    for (let count = 0; count < 3; count++) await second.read();
    expect(second.offsets()).toEqual([0, 2, 3]);
  });

  it("lets an iterator return while it waits, and hands on what it holds to one that waits beside it", async () => {
    const { stream, offer } = setUp();
    const iterator = stream.envelopes(1);
    const [first, second] = [reading(iterator), reading(stream.envelopes(1))];
    offer(0);
    await first.read();
    const waiting = [first.read(), second.read()];
    await quiet(1);
    await iterator.return?.();
    await Promise.all(waiting);
    expect(first.state.isDone).toBe(true);
    expect(second.offsets()).toEqual([0]);
  });

  it("abandons at its end what nobody has taken, and ends the iterators", async () => {
    const { stream, offer } = setUp();
    const reader = reading(stream.envelopes(1));
    const first = offer(0);
    const second = offer(1);
    await reader.read();
    const waiting = reader.read();
    stream.end(null);
    await waiting;
    await quiet(1);
    expect(reader.state.isDone).toBe(true);
    expect(second.outcome).toBe("abandoned");
    const third = offer(2);
    await quiet(1);
    expect(third.outcome).toBe("abandoned");
    // Whoever holds a record at the end may still say that it is done.
    expect(first.outcome).toBe("open");
    reader.state.given[0]?.ack();
    await quiet(1);
    expect(first.outcome).toBe("acked");
  });

  it("abandons what is held by an iterator that is left after the end", async () => {
    const { stream, offer } = setUp();
    const iterator = stream.envelopes(2);
    const reader = reading(iterator);
    const first = offer(0);
    await reader.read();
    stream.end(null);
    await iterator.return?.();
    await quiet(1);
    expect(first.outcome).toBe("abandoned");
  });

  it("throws the error that it ended with, once, and abandons what is held", async () => {
    const { stream, offer } = setUp();
    const reader = reading(stream.envelopes(1));
    const first = offer(0);
    await reader.read();
    const waiting = reader.read();
    stream.end(new Error("the group failed"));
    await waiting;
    await reader.read();
    await quiet(1);
    expect(reader.state).toMatchObject({ error: { message: "the group failed" }, isDone: true });
    expect(first.outcome).toBe("abandoned");
  });

  it("acknowledges a record when the loop asks for the next, and not the one at which it is left", async () => {
    const { stream, offer, offered } = setUp();
    for (const offset of [0, 1, 2]) offer(offset);
    const seen: number[] = [];
    for await (const { offset } of stream.records()) {
      seen.push(offset);
      if (offset === 1) break;
    }
    await quiet(1);
    expect(offered.map(({ outcome }) => outcome)).toEqual(["acked", "open", "open"]);
    for await (const { offset } of stream.records()) {
      seen.push(offset);
      if (offset === 2) stream.end(null);
    }
    await quiet(1);
    expect(seen).toEqual([0, 1, 1, 2]);
    expect(offered.map(({ outcome }) => outcome)).toEqual(["acked", "acked", "acked"]);
  });

  it("loses and doubles nothing, whoever iterates, acknowledges, drops and leaves", async () => {
    const step = fc.record({
      does: fc.constantFrom("offer", "offer", "read", "read", "ack", "ack", "nack", "drop", "return"),
      pick: fc.nat(20),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.array(step, { maxLength: 60 }),
        async (maxInFlight, steps) => {
          const { stream, offer, offered } = setUp();
          const open = (): ReturnType<typeof begin> => begin();
          const begin = () => {
            const iterator = stream.envelopes(maxInFlight);
            return { iterator, ...reading(iterator) };
          };
          let reader = open();
          /** Given by the present iterator and not settled, in order. */
          const held = (): Envelope<BytesRecord>[] =>
            reader.state.given.filter(
              ({ record }) => offered[record.offset]?.outcome === "open" && !isDropped(record.offset),
            );
          const isDropped = (offset: number): boolean => offered[offset]?.delivery.isDropped === true;
          const pick = <X>(from: readonly X[], index: number): X | undefined => from[index % Math.max(from.length, 1)];
          for (const { does, pick: index } of steps) {
            if (does === "offer") offer(offered.length);
            else if (does === "read" && !reader.state.isWaiting) void reader.read();
            else if (does === "ack") pick(held(), index)?.ack();
            else if (does === "nack") pick(held(), index)?.nack(new Error("broken"));
            else if (does === "drop") pick(offered, index)?.delivery.drop(new Error("revoked"));
            else if (does === "return") {
              await reader.iterator.return?.();
              await quiet(1);
              reader = open();
            }
            await quiet(1);
            expect(held().length).toBeLessThanOrEqual(maxInFlight);
            const offsets = reader.offsets();
            expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
          }
          // The last iterator gets everything that is left.
          for (let round = 0; round < offered.length + 2; round++) {
            if (!reader.state.isWaiting) void reader.read();
            await quiet(1);
            for (const envelope of held()) envelope.ack();
            await quiet(1);
          }
          for (const { outcome, delivery } of offered) expect(outcome !== "open" || delivery.isDropped).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  }, 30_000);
});
