// npm `eventsource`: prints each line and notice as JSON; comes back by itself.
import { EventSource } from "eventsource";
import { report } from "./report.mjs";

report(new EventSource(process.argv[2]));
