import { EosError } from "@eos/core";
import { AuthenticationError, ConnectionError } from "../errors/errors.ts";

/** Node's codes for a certificate that was refused: on this side, or by the other side's alert. */
const CERTIFICATE_CODES =
  /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_CERT_|HOSTNAME_MISMATCH|ERR_SSL_.*(CERTIFICATE|UNKNOWN_CA))/;
const SASL_REFUSALS: readonly string[] = ["SASL_AUTHENTICATION_FAILED", "UNSUPPORTED_SASL_MECHANISM"];
/** kafkajs gives whatever went wrong during SASL the same name, a lost connection too. */
const LOST_DURING_SASL = /: (Connection error|Connection timeout|Closed connection|Not connected)/;
const NOT_TLS_CODES = /^(EPROTO|ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG)/;

/** What kafkajs or Node raised while a connection was being opened, as an error of ours that says what to look at. */
export function connectError(address: string, secured: { ssl: boolean; sasl: boolean }, cause: unknown): EosError {
  if (EosError.is(cause)) return cause;
  const { name, code, type, message } = describe(cause);
  const isSasl = name === "KafkaJSSASLAuthenticationError" || SASL_REFUSALS.includes(type);
  if (isSasl && !LOST_DURING_SASL.test(message)) {
    return new AuthenticationError(`Broker ${address} refused the SASL credentials: ${message}`, {
      hint: "Check sasl.mechanism, sasl.username and sasl.password against the broker's users and enabled mechanisms",
      cause,
    });
  }
  if (CERTIFICATE_CODES.test(code)) {
    return new AuthenticationError(`TLS with ${address} failed: ${message}`, {
      hint: "Put the CA that signed the broker's certificate into ssl.ca, and connect by a name the certificate carries",
      cause,
    });
  }
  if (NOT_TLS_CODES.test(code)) {
    return new ConnectionError(`TLS with ${address} failed: ${message}`, {
      hint: "The listener on this port may not speak TLS: leave ssl out, or use its TLS port",
      cause,
    });
  }
  return new ConnectionError(`Cannot connect to ${address}: ${message}`, { hint: hintFor(code, name, secured), cause });
}

/** Why a broker may hang up on somebody it has not answered yet. */
export function hungUpHint({ ssl, sasl }: { readonly ssl: boolean; readonly sasl: boolean }): string {
  return ssl || sasl
    ? "The broker hung up: does this listener expect other ssl or sasl settings?"
    : "The broker hung up: does this listener expect TLS (ssl) or SASL (sasl)?";
}

function hintFor(code: string, name: string, secured: { ssl: boolean; sasl: boolean }): string | undefined {
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "The host name does not resolve: check it, and the DNS";
  if (code === "ECONNREFUSED") return "Nothing listens there: is the broker up, and is the port right?";
  return name === "KafkaJSConnectionClosedError" || code === "ECONNRESET" ? hungUpHint(secured) : undefined;
}

interface Description {
  readonly name: string;
  /** Node's, of a socket. */
  readonly code: string;
  /** kafkajs' name of a broker's error code. */
  readonly type: string;
  readonly message: string;
}

function describe(cause: unknown): Description {
  if (!(cause instanceof Error)) return { name: "", code: "", type: "", message: String(cause) };
  const text = (field: string): string => {
    const value: unknown = Reflect.get(cause, field);
    return typeof value === "string" ? value : "";
  };
  const message = cause.message.replace(/^Connection error: /, "");
  return { name: cause.name, code: text("code"), type: text("type"), message };
}
