export { type Anomaly, type AnomalyKind, checkHistory, countAnomalies, describeAnomalies } from "./check-history.ts";
export {
  type CommittedOffset,
  contiguousOffsets,
  formatSource,
  type History,
  type InputPartition,
  type OutputRecord,
  parseSource,
  type SourcePosition,
} from "./history.ts";
