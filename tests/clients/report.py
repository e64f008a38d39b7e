"""What the Python clients share: JSON lines on stdout, and coming back with the last id."""

import json
import sys
import time

# The test ends these programs; the bound is for the day it cannot.
MOST_TRIES = 300


def report(kind, data, event_id):
    print(json.dumps({"type": kind or "message", "data": data, "id": event_id}), flush=True)


def until_refused(read, lost):
    last_id = None
    for _ in range(MOST_TRIES):
        try:
            for last_id in read(last_id):
                pass
        except lost:
            pass
        print("lost the connection", file=sys.stderr, flush=True)
        # These libraries leave the pause before the next try to their users.
        time.sleep(0.1)
