"""The tutorial's server, for comparison: FastAPI, sse-starlette and sh.tail, half a second a line."""

import asyncio
import sys

import sh
import uvicorn
from fastapi import FastAPI, Request
from sse_starlette.sse import EventSourceResponse

app = FastAPI()
path, port = sys.argv[1], int(sys.argv[2])


async def lines(request):
    for line in sh.tail("-n", "0", "-F", path, _iter=True):
        if await request.is_disconnected():
            break
        yield line.rstrip("\n")
        await asyncio.sleep(0.5)


@app.get("/stream-logs")
async def stream(request: Request):
    return EventSourceResponse(lines(request))


uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")
