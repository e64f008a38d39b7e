// undici's EventSource (Node's own): prints each line and notice as JSON; comes back by itself.
import { EventSource } from "undici";
import { report } from "./report.mjs";

report(new EventSource(process.argv[2]));
