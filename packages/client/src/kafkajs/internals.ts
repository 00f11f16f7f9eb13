import { createRequire } from "node:module";
import type { Socket } from "node:net";
import type { KafkaConfig } from "kafkajs";

/** The parts of kafkajs 2.2.4 that are used, as its sources have them. They are checked by `self-check.ts`. */
export interface KafkajsRequestQueue {
  readonly pending: readonly unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  push(request: KafkajsPushedRequest): void;
  rejectAll(error: Error): void;
  maybeThrottle(throttleTimeMs: number): void;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

export interface KafkajsPushedRequest {
  readonly entry: {
    readonly apiKey: number;
    readonly apiName: string;
    readonly apiVersion: number;
    readonly correlationId: number;
    readonly resolve: (response: { readonly payload: Buffer }) => void;
    readonly reject: (error: Error) => void;
  };
  readonly expectResponse: true;
  readonly requestTimeout: null;
  readonly sendRequest: () => void;
}

export interface KafkajsConnection {
  /** Absent until the first connect. */
  readonly socket?: Socket;
  readonly clientId: string;
  readonly requestQueue: KafkajsRequestQueue;
  /** A 64-bit integer, in ms; 0: unlimited. */
  readonly sessionLifetime: { toString(): string };
  /** How long before the end of a session, in ms, it counts as ended. */
  reauthenticationThreshold: number;
  isConnected(): boolean;
  isAuthenticated(): boolean;
  authenticate(): Promise<void>;
  disconnect(): Promise<unknown>;
  nextCorrelationId(): number;
}

export interface KafkajsConnectionPool {
  readonly pool: readonly KafkajsConnection[];
}

export interface KafkajsBroker {
  /** By API key; null before connecting. */
  readonly versions: { readonly [apiKey: string]: { readonly minVersion: number; readonly maxVersion: number } } | null;
  connect(): Promise<void>;
}

export interface KafkajsCluster {
  readonly rootLogger: object;
  readonly connectionPoolBuilder: {
    build(destination: { readonly host: string; readonly port: number }): Promise<KafkajsConnectionPool>;
  };
  readonly brokerPool: {
    createBroker(options: { readonly connectionPool: KafkajsConnectionPool; readonly logger: object }): KafkajsBroker;
  };
}

export interface KafkajsModule {
  readonly Kafka: new (config: KafkaConfig) => object;
}

const require = createRequire(import.meta.url);

/** The module and its package.json. @throws whatever Node throws when kafkajs is not installed. */
export function loadKafkajs(): { readonly module: KafkajsModule; readonly version: string } {
  const { version } = require("kafkajs/package.json") as { readonly version: string };
  return { module: require("kafkajs") as KafkajsModule, version };
}

/** kafkajs' own cluster factory, private behind a symbol. `undefined` when it is not where 2.2.4 has it. */
export function clusterFactory(kafka: object): ((options: object) => KafkajsCluster) | undefined {
  const symbol = Object.getOwnPropertySymbols(kafka).find((s) => s.description === "private:Kafka:createCluster");
  return symbol === undefined ? undefined : (Reflect.get(kafka, symbol) as (options: object) => KafkajsCluster);
}
