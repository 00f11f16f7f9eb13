import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeOptions, readCommandLine } from "./command-line.ts";
import {
  BROKERS_OPTION,
  type ConnectionOptions,
  type ConnectionValues,
  readConnectionOptions,
  SECURITY_OPTIONS,
} from "./connection-options.ts";

const OPTIONS = { ...BROKERS_OPTION, ...SECURITY_OPTIONS };
const BROKERS = ["--brokers", "a:9092,b:9093"];

function read(args: readonly string[], environment: { readonly [variable: string]: string } = {}): ConnectionOptions {
  return readConnectionOptions(
    "program",
    readCommandLine("program", OPTIONS, [...BROKERS, ...args], environment) as ConnectionValues,
  );
}

describe("readConnectionOptions", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "app-cli-"));
    for (const name of ["ca", "cert", "key"]) writeFileSync(join(folder, `${name}.pem`), `the ${name}`);
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const pem = (name: string): string => join(folder, `${name}.pem`);

  it("gives the brokers, and no option that was not asked for", () => {
    expect(read([])).toStrictEqual({ brokers: ["a:9092", "b:9093"] });
    expect(read(["--tls=false"])).toStrictEqual({ brokers: ["a:9092", "b:9093"] });
  });

  it("refuses brokers without a port, and none at all", () => {
    expect(() => readCommandLine("program", OPTIONS, ["--brokers", "localhost"], {})).toThrow(
      'program: option "brokers" must be host:port, or several with commas between, got ["localhost"]',
    );
    expect(() => readCommandLine("program", OPTIONS, [], {})).toThrow('option "brokers" is required');
  });

  it("takes TLS with the system's CAs", () => {
    expect(read(["--tls"]).ssl).toBe(true);
  });

  it("reads the certificates, which imply TLS", () => {
    const args = ["--tls-ca", pem("ca"), "--tls-cert", pem("cert"), "--tls-key", pem("key")];
    expect(read(args).ssl).toStrictEqual({ ca: "the ca", cert: "the cert", key: "the key" });
    expect(read(["--tls", "--tls-ca", pem("ca")]).ssl).toStrictEqual({ ca: "the ca" });
  });

  it("refuses a file that is not there, and a certificate without its key", () => {
    expect(() => read(["--tls-ca", pem("none")])).toThrow('program: option "tls-ca" must be a readable file: ENOENT');
    for (const half of ["cert", "key"]) {
      expect(() => read([`--tls-${half}`, pem(half)])).toThrow(
        new TypeError('program: options "tls-cert" and "tls-key" go together'),
      );
    }
  });

  it.each(["plain", "scram-sha-256", "scram-sha-512"])("takes the credentials of %s", (mechanism) => {
    const args = ["--sasl-mechanism", mechanism, "--sasl-username", "joe"];
    expect(read(args, { SASL_PASSWORD: "secret" }).sasl).toEqual({ mechanism, username: "joe", password: "secret" });
  });

  it("refuses a mechanism that it does not know", () => {
    expect(() => read(["--sasl-mechanism", "md5"])).toThrow(
      'option "sasl-mechanism" must be one of "plain", "scram-sha-256", "scram-sha-512"',
    );
  });

  it("refuses a password on the command line without repeating it", () => {
    let message = "";
    try {
      read(["--sasl-password=hunter2"]);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain("set SASL_PASSWORD instead of --sasl-password");
    expect(message).not.toContain("hunter2");
  });

  it("refuses half of the credentials", () => {
    const needed = 'program: option "sasl-mechanism" needs "sasl-username" and the variable SASL_PASSWORD';
    expect(() => read(["--sasl-mechanism", "plain", "--sasl-username", "joe"])).toThrow(new TypeError(needed));
    expect(() => read(["--sasl-mechanism", "plain"], { SASL_PASSWORD: "secret" })).toThrow(new TypeError(needed));
    expect(() => read(["--sasl-username", "joe"])).toThrow('"sasl-username" needs "sasl-mechanism"');
  });

  it("leaves a password alone that may be of something else", () => {
    expect(read([], { SASL_PASSWORD: "of something else" })).toStrictEqual({ brokers: ["a:9092", "b:9093"] });
  });

  it("shows every option in the help", () => {
    const help = describeOptions(OPTIONS);
    for (const option of ["--brokers <host:port,…>", "--tls ", "--tls-ca <file>", "--tls-cert", "--tls-key"])
      expect(help).toContain(option);
    for (const option of ["--sasl-mechanism <mechanism>", "--sasl-username <name>", "SASL_PASSWORD"])
      expect(help).toContain(option);
    expect(help).not.toContain("--sasl-password");
  });
});
