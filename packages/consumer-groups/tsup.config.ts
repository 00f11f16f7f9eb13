// @boundaries-ignore The one build configuration, which is no package to depend on.
import base from "../../tooling/build/tsup.config.ts";

export default { ...base, entry: ["src/index.ts", "src/rxjs/index.ts"] };
