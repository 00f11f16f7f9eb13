export type IsolationLevel = "read_committed" | "read_uncommitted";

export function isolationLevelCode(isolation: IsolationLevel): number {
  return isolation === "read_committed" ? 1 : 0;
}
