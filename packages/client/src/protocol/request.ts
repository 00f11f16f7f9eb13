import type { ByteReader } from "./byte-reader.ts";

/** What every response carries: how long the broker wants this connection to be quiet (KIP-219). */
export interface KafkaResponse {
  readonly throttleTimeMs: number;
}

/**
 * One request of the Kafka protocol in one version, with the decoder of its answer. Requests are plain data: they may be
 * sent again, to another broker too.
 */
export interface KafkaRequest<R extends KafkaResponse = KafkaResponse> {
  readonly apiKey: number;
  readonly apiName: string;
  readonly apiVersion: number;
  /** Request and response have tagged fields (KIP-482), in their headers too. */
  readonly flexible: boolean;
  /** The body after the header. Several buffers, so that record batches are not copied. */
  readonly body: readonly Buffer[];
  /** How long the broker may take beyond the usual request timeout, because the request makes it wait. */
  readonly timeoutMs?: number;
  /** Gets a reader behind the response header. Never throws on an error code: codes are part of the answer. */
  decode(reader: ByteReader): R;
}

/** An API of the protocol and the versions this client speaks. */
export interface KafkaApi {
  readonly key: number;
  readonly name: string;
  /** Ascending. At least one must be within the broker's range. */
  readonly versions: readonly number[];
  /** The first version with tagged fields. */
  readonly flexibleFrom: number;
}

/** Puts a request together. */
export function kafkaRequest<R extends KafkaResponse>(
  api: KafkaApi,
  apiVersion: number,
  body: readonly Buffer[],
  decode: (reader: ByteReader) => R,
  timeoutMs?: number,
): KafkaRequest<R> {
  const request = {
    apiKey: api.key,
    apiName: api.name,
    apiVersion,
    flexible: apiVersion >= api.flexibleFrom,
    body,
    decode,
  };
  return timeoutMs === undefined ? request : { ...request, timeoutMs };
}
