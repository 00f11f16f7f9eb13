import type { KafkaRequest } from "../protocol/request.ts";

/**
 * Frame size and request header of a request.
 *
 * ```
 * size api_key api_version correlation_id client_id [TAG]        (header v1; v2 adds the tag buffer)
 * ```
 */
export function requestHeader(request: KafkaRequest, correlationId: number, clientId: string): Buffer {
  const clientIdBytes = Buffer.byteLength(clientId);
  const header = Buffer.allocUnsafe(14 + clientIdBytes + (request.flexible ? 1 : 0));
  let size = header.length - 4;
  for (const part of request.body) size += part.length;
  header.writeInt32BE(size, 0);
  header.writeInt16BE(request.apiKey, 4);
  header.writeInt16BE(request.apiVersion, 6);
  header.writeInt32BE(correlationId, 8);
  header.writeInt16BE(clientIdBytes, 12);
  header.write(clientId, 14);
  if (request.flexible) header[header.length - 1] = 0;
  return header;
}
