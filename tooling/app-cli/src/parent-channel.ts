import { requestShutdown } from "./shutdown-signal.ts";

// A parent that had opened a channel to this process may be killed: then the process is to end, too.
process.on("disconnect", requestShutdown);
// The parent may have gone before anybody could listen.
if (process.send !== undefined && !process.connected) requestShutdown();
