import type { Readable } from "node:stream";

/** What can be asked for while the program runs. */
export interface Commands {
  more(): void;
  fewer(): void;
  quit(): void;
}

/** What of a terminal's input is needed. */
export interface KeyInput extends Readable {
  setRawMode(isRaw: boolean): unknown;
}

// "=" and "_" share a key with "+" and "-". A raw terminal sends Ctrl-C and Ctrl-D as characters instead of a signal.
const KEYS: { readonly [key: string]: keyof Commands } = {
  "+": "more",
  "=": "more",
  "-": "fewer",
  _: "fewer",
  q: "quit",
  Q: "quit",
  "\u0003": "quit",
  "\u0004": "quit",
};

/** Obeys single keys, without Enter. @returns gives the terminal back */
export function listenToKeys(input: KeyInput, commands: Commands): () => void {
  const onData = (data: Buffer | string): void => {
    for (const key of String(data)) {
      const command = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined;
      if (command !== undefined) commands[command]();
    }
  };
  input.setRawMode(true);
  input.on("data", onData);
  return () => {
    input.off("data", onData);
    input.setRawMode(false);
    input.pause();
  };
}
