import type { CoordinatorKind } from "../protocol/find-coordinator.ts";
import { SingleFlight } from "./single-flight.ts";

/** Which node coordinates which group or transactional id. */
export class CoordinatorCache {
  readonly #nodes = new Map<string, number>();
  readonly #lookups = new SingleFlight<number>();

  /** The cached node id, or what `lookUp` finds; callers who ask meanwhile share the look-up. */
  async get(kind: CoordinatorKind, key: string, lookUp: () => Promise<number>): Promise<number> {
    const id = `${kind}:${key}`;
    const cached = this.#nodes.get(id);
    if (cached !== undefined) return cached;
    return await this.#lookups.run(id, async () => {
      const nodeId = await lookUp();
      this.#nodes.set(id, nodeId);
      return nodeId;
    });
  }

  cached(kind: CoordinatorKind, key: string): number | undefined {
    return this.#nodes.get(`${kind}:${key}`);
  }

  forget(kind: CoordinatorKind, key: string): void {
    this.#nodes.delete(`${kind}:${key}`);
  }

  forgetNode(nodeId: number): void {
    for (const [id, node] of this.#nodes) if (node === nodeId) this.#nodes.delete(id);
  }
}
