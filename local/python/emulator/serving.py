"""Calls are read by a parser written in C.

The emulator's own server, Hypercorn, parses HTTP in Python, which is half of the processor time of a call: 2.5 ms, of which
Uvicorn needs 1.3. It can go once the emulator is served as fast.
"""

import hypercorn.asyncio
import uvicorn


async def serve(application, settings):
    host, _, port = settings.bind[0].rpartition(":")
    config = uvicorn.Config(
        application,
        host=host,
        port=int(port),
        http="httptools",
        ws="none",
        # The event loop is the one that runs already.
        loop="none",
        timeout_keep_alive=settings.keep_alive_timeout,
        # The application writes what AWS's answers have, and the caller is who connects.
        server_header=False,
        date_header=False,
        proxy_headers=False,
        access_log=False,
        log_level=settings.loglevel.lower(),
    )
    await uvicorn.Server(config).serve()


def hasten():
    hypercorn.asyncio.serve = serve
