"""python python.py httpx|sseclient URL: prints each message as one line of JSON.

Neither library reconnects, so this does what their users do: come back with the last id.
"""

import json
import sys
import time

import httpx
import httpx_sse
import requests
import sseclient


def say(event):
    name = event.event or "message"
    if name == "message":
        print(json.dumps({"data": event.data, "id": event.id}), flush=True)
    elif name == "gap":
        print(json.dumps({"gap": event.data}), flush=True)


def by_httpx(url, headers):
    with httpx.Client(timeout=30, trust_env=False) as client:
        with httpx_sse.connect_sse(client, "GET", url, headers=headers) as source:
            yield from source.iter_sse()


def by_sseclient(url, headers):
    session = requests.Session()
    session.trust_env = False
    with session.get(url, stream=True, headers=headers, timeout=30) as answer:
        answer.raise_for_status()
        yield from sseclient.SSEClient(answer).events()


def main(kind, url):
    connect = {"httpx": by_httpx, "sseclient": by_sseclient}[kind]
    broken = (httpx.TransportError, requests.RequestException)
    last_id, tries = None, 0
    while tries < 100:
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if last_id:
            headers["Last-Event-ID"] = last_id
        try:
            for event in connect(url, headers):
                tries = 0
                say(event)
                last_id = event.id or last_id
        except broken:
            pass
        tries += 1
        time.sleep(0.1)


main(*sys.argv[1:])
