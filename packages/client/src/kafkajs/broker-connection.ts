import type { EosError } from "@eos/core";
import { ClientClosedError, ConnectionError, RequestTimeoutError } from "../errors/errors.ts";
import { API_VERSIONS } from "../protocol/apis.ts";
import { ByteReader } from "../protocol/byte-reader.ts";
import type { KafkaRequest, KafkaResponse } from "../protocol/request.ts";
import { connectError, hungUpHint } from "./connect-errors.ts";
import type { KafkajsConnection } from "./internals.ts";
import { requestHeader } from "./request-header.ts";

/** Share of a SASL session that is left when it is renewed: Java renews after 85 to 95 % of it. */
const SESSION_MARGIN = 0.1;

/** A request the broker holds back on purpose gets this much on top of what it was allowed (as Java's JoinGroup does). */
const HELD_REQUEST_MARGIN_MS = 5_000;

export interface BrokerConnectionOptions {
  readonly address: string;
  readonly connection: KafkajsConnection;
  readonly secured: { readonly ssl: boolean; readonly sasl: boolean };
  readonly requestTimeoutMs: number;
}

/**
 * One authenticated socket to one broker, one-way: once lost it stays lost, and whoever needs the broker opens another.
 *
 * Of kafkajs it uses the socket, the framing of answers, the matching by correlation id, the throttle and SASL. Requests
 * are written here, since kafkajs copies a body three times; and they time out here, since kafkajs leaves a connection
 * that timed out in use, and polls for timeouts ten times a second.
 */
export class BrokerConnection {
  readonly address: string;
  readonly #options: BrokerConnectionOptions;
  readonly #connection: KafkajsConnection;
  readonly #lossListeners: (() => void)[] = [];
  #lost: EosError | null = null;
  #inFlight = 0;
  #retired = false;
  #answered = false;

  constructor(options: BrokerConnectionOptions) {
    this.#options = options;
    this.#connection = options.connection;
    this.address = options.address;
    this.#planReauthentication();
    const { socket } = options.connection;
    // EndTxn and offset commits are small and waited for: Nagle's algorithm would hold them back.
    socket?.setNoDelay(true);
    socket?.once("close", () => this.#lose(new ConnectionError(`The connection to ${this.address} was closed`)));
    if (socket === undefined || socket.destroyed) {
      this.#lose(new ConnectionError(`The connection to ${this.address} was closed while it was opened`));
    }
  }

  get isConnected(): boolean {
    return this.#lost === null && this.#connection.isConnected();
  }

  /** Runs once, when the connection is lost or closed; at once when it already is. */
  onLost(listener: () => void): void {
    if (this.#lost === null) this.#lossListeners.push(listener);
    else listener();
  }

  /**
   * Requests leave in the order of the calls. The body's buffers must not change before this settles.
   *
   * @throws ConnectionError, RequestTimeoutError: whether the broker acted on it is unknown; ClientClosedError
   */
  async send<R extends KafkaResponse>(request: KafkaRequest<R>): Promise<R> {
    const payload = await this.#withDeadline(request, () => this.#exchange(request));
    const reader = new ByteReader(payload);
    // ApiVersions answers with header v0 in every version, so that any client can read it.
    if (request.flexible && request.apiKey !== API_VERSIONS.key) reader.skipTags();
    const response = request.decode(reader);
    this.#connection.requestQueue.maybeThrottle(response.throttleTimeMs);
    return response;
  }

  /** Rejects what is in flight with {@link ClientClosedError}; never waits for it. */
  close(): void {
    this.#lose(new ClientClosedError());
  }

  /** Gives it up as if it had been lost: whoever waits for an answer waits no longer. */
  abandon(): void {
    this.#lose(new ConnectionError(`The connection to ${this.address} was given up: it does not answer`));
  }

  /** Closes it once everything in flight is answered. */
  retire(): void {
    this.#retired = true;
    this.#closeIfRetired();
  }

  #closeIfRetired(): void {
    if (this.#retired && this.#inFlight === 0) {
      this.#lose(new ConnectionError(`${this.address} belongs to no broker of the cluster any more`));
    }
  }

  #withDeadline(request: KafkaRequest, exchange: () => Promise<Buffer>): Promise<Buffer> {
    const { requestTimeoutMs } = this.#options;
    const { timeoutMs } = request;
    const limitMs =
      timeoutMs === undefined ? requestTimeoutMs : Math.max(requestTimeoutMs, timeoutMs + HELD_REQUEST_MARGIN_MS);
    this.#inFlight++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const what = `${request.apiName} to ${this.address} was not answered within ${limitMs} ms`;
        reject(new RequestTimeoutError(what));
        this.#lose(new ConnectionError(`The connection to ${this.address} was closed: ${what}`));
      }, limitMs);
      exchange()
        .finally(() => {
          clearTimeout(timer);
          this.#inFlight--;
          this.#closeIfRetired();
        })
        .then(resolve, reject);
    });
  }

  async #exchange(request: KafkaRequest): Promise<Buffer> {
    const connection = this.#connection;
    // The broker ends SASL sessions (KIP-368): kafkajs knows when, and shares one re-authentication among all callers.
    if (this.#options.secured.sasl && !connection.isAuthenticated()) await this.#reauthenticate();
    if (this.#lost !== null) throw this.#lost;
    return await new Promise<Buffer>((resolve, reject) => {
      const correlationId = connection.nextCorrelationId();
      connection.requestQueue.push({
        entry: {
          apiKey: request.apiKey,
          apiName: request.apiName,
          apiVersion: request.apiVersion,
          correlationId,
          resolve: ({ payload }) => {
            this.#answered = true;
            resolve(payload);
          },
          reject: (error) => reject(this.#rejection(request, error)),
        },
        expectResponse: true,
        requestTimeout: null,
        sendRequest: () => this.#write(request, correlationId),
      });
    });
  }

  async #reauthenticate(): Promise<void> {
    try {
      await this.#connection.authenticate();
      this.#planReauthentication();
    } catch (error) {
      this.#lose(connectError(this.address, this.#options.secured, error));
    }
  }

  /** kafkajs renews a session 10 s before its end: with a session of 10 s, before each request, which brokers refuse. */
  #planReauthentication(): void {
    const lifetimeMs = Number(this.#connection.sessionLifetime.toString());
    this.#connection.reauthenticationThreshold = lifetimeMs * SESSION_MARGIN;
  }

  #write(request: KafkaRequest, correlationId: number): void {
    const { socket, clientId } = this.#connection;
    if (socket === undefined) return;
    socket.cork();
    socket.write(requestHeader(request, correlationId, clientId));
    for (const part of request.body) socket.write(part);
    socket.uncork();
  }

  #rejection(request: KafkaRequest, error: Error): EosError {
    if (this.#lost !== null) return this.#lost;
    return new ConnectionError(
      `The connection to ${this.address} was lost during ${request.apiName}: ${error.message}`,
      {
        cause: error,
        // A listener that wants SASL lets anybody connect and ask for its versions, once.
        hint: this.#answered ? undefined : hungUpHint(this.#options.secured),
      },
    );
  }

  #lose(reason: EosError): void {
    if (this.#lost !== null) return;
    this.#lost = reason;
    // Destroyed before anything is rejected: a caller that gets its buffers back may reuse them at once, and bytes of
    // theirs that still waited for the socket must not leave any more.
    this.#connection.socket?.destroy();
    this.#connection.requestQueue.rejectAll(reason);
    // Marks it disconnected and clears its timers; it has nothing left to wait for.
    void this.#connection.disconnect();
    for (const listener of this.#lossListeners.splice(0)) listener();
  }
}
