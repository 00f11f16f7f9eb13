import { type OptionTable, boolean, nonEmptyString, object, oneOf, required, type Serde } from "@eos/core";
import type { StateRestoreListener } from "./changelog/restore-listener.ts";

/** Options of every store. */
export interface StoreOptions<K, V> {
  /** Names the store's folder and its changelog `<applicationId>-<name>-changelog`. Letters, digits, `.`, `_` and `-`. */
  readonly name: string;
  readonly key: Serde<K>;
  readonly value: Serde<V>;
  /**
   * On LevelDB, or in memory: then everything is restored from the changelog at each start.
   * @defaultValue 'persistent'
   */
  readonly storage?: "persistent" | "inMemory";
  /**
   * Configuration of the changelog topic beyond its defaults, as `{ "segment.bytes": "52428800" }`; or `'none'`: what is
   * stored is lost with its folder.
   * @defaultValue {}
   */
  readonly changelog?: { readonly [config: string]: string } | "none";
  /**
   * The changelog gets the last write to each key of a transaction instead of all of them.
   * @defaultValue false
   */
  readonly caching?: boolean;
  /** Told of restores from the changelog. */
  readonly restoreListener?: StateRestoreListener;
}

/** Rules of {@link StoreOptions}, for stores that add options of their own. */
export const STORE_OPTION_RULES = {
  name: required(nonEmptyString),
  key: required(object),
  value: required(object),
  storage: oneOf("persistent", "inMemory"),
  changelog: {
    expects: "'none' or topic configuration { [name]: string }",
    accepts: (value) =>
      value === "none" ||
      (typeof value === "object" &&
        value !== null &&
        Object.values(value).every((setting) => typeof setting === "string")),
  },
  caching: boolean,
  restoreListener: object,
} as const satisfies OptionTable;
