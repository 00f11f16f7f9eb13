/** So many new ids are put in their places one by one; more of them are sorted and merged. */
const INSERT_SINGLY = 32;

/** Ids in the order of their characters, put in order when somebody asks: most transactions are never asked. */
export class IdOrder {
  #sorted: string[] = [];
  #added: string[] = [];

  /** @param id one that was not added before */
  add(id: string): void {
    this.#added.push(id);
  }

  sorted(): readonly string[] {
    const added = this.#added;
    if (added.length === 0) return this.#sorted;
    this.#added = [];
    if (added.length <= INSERT_SINGLY) {
      for (const id of added) this.#sorted.splice(lowerBound(this.#sorted, id), 0, id);
    } else {
      this.#sorted = merge(this.#sorted, added.sort(byCodeUnit));
    }
    return this.#sorted;
  }
}

/** Index of the first id ≥ `id`. */
export function lowerBound(ids: readonly string[], id: string): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ids[middle]! < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the first id > `id`. */
export function upperBound(ids: readonly string[], id: string): number {
  const at = lowerBound(ids, id);
  return ids[at] === id ? at + 1 : at;
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function merge(a: readonly string[], b: readonly string[]): string[] {
  const merged: string[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) merged.push(a[i]! < b[j]! ? a[i++]! : b[j++]!);
  while (i < a.length) merged.push(a[i++]!);
  while (j < b.length) merged.push(b[j++]!);
  return merged;
}
