"""PyPI httpx-sse: prints each line and notice as JSON; comes back with the last id."""

import sys

import httpx
from httpx_sse import connect_sse

from report import report, until_refused

URL = sys.argv[1]


def read(last_id):
    headers = {"Last-Event-ID": last_id} if last_id else {}
    with httpx.Client(timeout=60, trust_env=False) as client:
        with connect_sse(client, "GET", URL, headers=headers) as source:
            for event in source.iter_sse():
                last_id = event.id or last_id
                report(event.event, event.data, event.id)
                yield last_id


until_refused(read, (httpx.TransportError,))
