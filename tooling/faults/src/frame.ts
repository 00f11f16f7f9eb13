/** The APIs that faults are aimed at, by their keys in Kafka's protocol. */
const API_KEYS = {
  Produce: 0,
  Fetch: 1,
  ListOffsets: 2,
  Metadata: 3,
  OffsetCommit: 8,
  OffsetFetch: 9,
  FindCoordinator: 10,
  JoinGroup: 11,
  Heartbeat: 12,
  LeaveGroup: 13,
  SyncGroup: 14,
  SaslHandshake: 17,
  ApiVersions: 18,
  CreateTopics: 19,
  DeleteTopics: 20,
  InitProducerId: 22,
  AddPartitionsToTxn: 24,
  AddOffsetsToTxn: 25,
  EndTxn: 26,
  TxnOffsetCommit: 28,
  DescribeConfigs: 32,
  SaslAuthenticate: 36,
  CreatePartitions: 37,
} as const;

export type ApiName = keyof typeof API_KEYS;

const API_NAMES = new Map<number, ApiName>(
  Object.entries(API_KEYS).map(([name, key]): [number, ApiName] => [key, name as ApiName]),
);

/** One request or one answer on its way. */
export interface Frame {
  readonly direction: "request" | "response";
  /** `undefined` for an API that no fault is ever aimed at. */
  readonly api: ApiName | undefined;
  readonly apiVersion: number;
  readonly correlationId: number;
  /** The frame without its size, header included. */
  readonly payload: Buffer;
}

/** What a request's header says; `payload` is the frame without its size. */
export function requestFrame(payload: Buffer): Frame {
  return {
    direction: "request",
    api: API_NAMES.get(payload.readInt16BE(0)),
    apiVersion: payload.readInt16BE(2),
    correlationId: payload.readInt32BE(4),
    payload,
  };
}

/** An answer says whose it is by correlation id only. */
export function responseFrame(payload: Buffer, request: Frame | undefined): Frame {
  return {
    direction: "response",
    api: request?.api,
    apiVersion: request?.apiVersion ?? -1,
    correlationId: payload.readInt32BE(0),
    payload,
  };
}

/** The bytes that go over the wire. */
export function withSize(payload: Buffer): Buffer {
  const size = Buffer.allocUnsafe(4);
  size.writeInt32BE(payload.length);
  return Buffer.concat([size, payload]);
}
