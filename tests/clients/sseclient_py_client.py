"""PyPI sseclient-py over requests: prints each line and notice as JSON; comes back with the last id."""

import sys

import requests
import sseclient

from report import report, until_refused

URL = sys.argv[1]


def read(last_id):
    headers = {"Accept": "text/event-stream"}
    if last_id:
        headers["Last-Event-ID"] = last_id
    session = requests.Session()
    session.trust_env = False
    response = session.get(URL, headers=headers, stream=True, timeout=60)
    for event in sseclient.SSEClient(response).events():
        last_id = event.id or last_id
        report(event.event, event.data, event.id)
        yield last_id


until_refused(read, (requests.RequestException,))
