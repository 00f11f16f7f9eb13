import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { ArmedFault, type FaultRule, type InjectedFault } from "./fault.ts";
import { FaultySocket } from "./faulty-socket.ts";
import type { ApiName, Frame } from "./frame.ts";

/** What kafkajs asks its `socketFactory` for. */
export interface SocketRequest {
  readonly host: string;
  readonly port: number;
  readonly ssl?: ConnectionOptions;
  readonly onConnect: () => void;
}

/**
 * Makes the connections of a client, and single requests and answers on them go wrong.
 *
 * ```ts
 * const faults = new FaultInjector();
 * const client = createClient({ brokers, socketFactory: faults.socketFactory });
 * const lost = faults.arm({ api: "EndTxn", on: "response", action: "hang-up" });
 * await producer.commit([]);
 * console.log(lost.strikes); // 1
 * ```
 */
export class FaultInjector {
  readonly #faults: ArmedFault[] = [];
  readonly #recordings: { readonly api: ApiName; readonly on: Frame["direction"]; readonly frames: Frame[] }[] = [];
  readonly #sockets = new Set<FaultySocket>();

  /** As kafkajs' option of this name wants it. Below it faults see plain frames, also with TLS. */
  readonly socketFactory = ({ host, port, ssl, onConnect }: SocketRequest): Socket => {
    // `ssl` comes as `false` when TLS is off.
    const connection = ssl
      ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect)
      : connectTcp({ host, port }, onConnect);
    const socket = new FaultySocket(connection, (frame) => this.#strike(frame));
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    return socket as unknown as Socket;
  };

  /** How many connections the client has open. */
  get connectionCount(): number {
    return this.#sockets.size;
  }

  /** The first armed fault that a frame matches strikes it. */
  arm(rule: FaultRule): InjectedFault {
    const fault = new ArmedFault(rule);
    this.#faults.push(fault);
    return fault;
  }

  /** The frames of an API from now on, faulty ones included, in an array that grows. */
  record(api: ApiName, on: Frame["direction"] = "request"): readonly Frame[] {
    const frames: Frame[] = [];
    this.#recordings.push({ api, on, frames });
    return frames;
  }

  /** Ends every connection, as a broker does that is killed. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #strike(frame: Frame): ArmedFault | undefined {
    for (const { api, on, frames } of this.#recordings) {
      if (frame.api === api && frame.direction === on) frames.push(frame);
    }
    return this.#faults.find((fault) => fault.strike(frame));
  }
}
