// Prints what an EventSource dispatches, one JSON object a line.
const NOTICES = ["hello", "rotated", "truncated", "waiting", "resumed", "gap", "ended", "cursor", "pwn"];

/** @param {EventTarget} source */
export function report(source) {
  const print = (event) => {
    process.stdout.write(JSON.stringify({ type: event.type, data: event.data, id: event.lastEventId }) + "\n");
  };
  source.addEventListener("message", print);
  for (const name of NOTICES) source.addEventListener(name, print);
  // An error is a lost connection, which it mends by itself: said, so that a test can see it.
  source.addEventListener("error", () => process.stderr.write("lost the connection\n"));
}

// undici does not hold the process while it waits to come back.
setInterval(() => {}, 60_000);
