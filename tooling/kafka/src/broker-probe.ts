import { int8, int32, PlainConnection } from "./plain-connection.ts";

const API_VERSIONS = 18;
const METADATA = 3;

/**
 * Asks the broker at `address` (`host:port`) what it speaks and who is in its cluster.
 * A broker answers so only once the controller has let it in (it is not "fenced").
 * @returns the ids of the live brokers
 * @throws Error when nobody answers, or it is not a Kafka broker
 */
export async function liveBrokers(address: string, timeoutMs: number): Promise<number[]> {
  const connection = await PlainConnection.open(address, timeoutMs);
  try {
    const versions = await connection.request(API_VERSIONS, 0, []);
    const errorCode = versions.int16();
    if (errorCode !== 0) throw new Error(`ApiVersions was answered with error code ${errorCode}`);

    const noTopics = int32(0);
    const noAutoCreation = int8(0);
    const metadata = await connection.request(METADATA, 4, [noTopics, noAutoCreation]);
    metadata.int32();
    return metadata.array((reader) => {
      const id = reader.int32();
      reader.string();
      reader.int32();
      reader.string();
      return id;
    });
  } finally {
    connection.close();
  }
}
