"""The baseline: a bare ASGI application on uvicorn that returns a constant body.

`python -m bench.bare PORT SIZE` serves; it is not a measurement by itself.
"""

import sys
from typing import Any


def serve(port: int, size: int) -> None:
    import uvicorn

    body = b"x" * size
    headers = [(b"content-type", b"application/json"), (b"content-length", str(size).encode())]

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    uvicorn.run(
        app, port=port, loop="uvloop", http="httptools", lifespan="off", access_log=False, log_level="error"
    )


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
