import { describe, expect, test } from "vitest";
import { connectError } from "./connect-errors.ts";

const PLAIN = { ssl: false, sasl: false };

function failure(name: string, message: string, code?: string): Error {
  return Object.assign(new Error(message), { name, ...(code === undefined ? {} : { code }) });
}

describe("a connection that cannot be made", () => {
  test.each([
    ["ECONNREFUSED", "EOS_CONNECTION", /is the broker up/],
    ["ENOTFOUND", "EOS_CONNECTION", /does not resolve/],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "EOS_AUTHENTICATION", /ssl\.ca/],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "EOS_AUTHENTICATION", /name the certificate carries/],
    ["EPROTO", "EOS_CONNECTION", /may not speak TLS/],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "EOS_CONNECTION", /may not speak TLS/],
  ])("%s is %s, and says what to look at", (code, eosCode, hint) => {
    const error = connectError("b:1", PLAIN, failure("KafkaJSConnectionError", `Connection error: ${code}`, code));
    expect(error).toMatchObject({ code: eosCode });
    expect(error.message).toContain("b:1");
    expect(error.hint).toMatch(hint);
  });

  test("a broker that hangs up hints at the listener's protocol", () => {
    const closed = failure("KafkaJSConnectionClosedError", "Closed connection");
    expect(connectError("b:1", PLAIN, closed).hint).toContain("expect TLS (ssl) or SASL (sasl)");
    expect(connectError("b:1", { ssl: true, sasl: true }, closed).hint).toContain("other ssl or sasl settings");
  });

  test("refused credentials are fatal", () => {
    const refused = failure("KafkaJSSASLAuthenticationError", "SASL PLAIN authentication failed: no");
    expect(connectError("b:1", { ssl: true, sasl: true }, refused)).toMatchObject({
      code: "EOS_AUTHENTICATION",
      severity: "fatal",
      cause: refused,
    });
  });

  test("a connection lost during SASL says nothing about the credentials", () => {
    const lost = failure("KafkaJSSASLAuthenticationError", "SASL PLAIN authentication failed: Closed connection");
    expect(connectError("b:1", { ssl: false, sasl: true }, lost)).toMatchObject({ code: "EOS_CONNECTION" });
  });
});
