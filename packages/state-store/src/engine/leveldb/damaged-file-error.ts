/** Bytes that are not what LevelDB writes. Whoever knows the file turns it into a `CorruptStoreError`. */
export class DamagedFileError extends Error {}
