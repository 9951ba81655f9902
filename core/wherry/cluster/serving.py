"""A process's own HTTP server: /metrics, /healthz (the loop turns) and /readyz (everything has been read)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Page = Callable[[], bytes]
"""What may be scraped, in Prometheus' text format."""


@asynccontextmanager
async def served(port: int, page: Page, ready: Callable[[], bool], host: str = "") -> AsyncIterator[int]:
    """Until the block ends; gives the port, which is chosen when `port` is 0. ready: asked for each /readyz."""
    runner = web.AppRunner(_app(page, ready), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host or None, port)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _app(page: Page, ready: Callable[[], bool]) -> web.Application:
    async def show_metrics(_request: web.Request) -> web.Response:
        return web.Response(body=page(), headers={"Content-Type": CONTENT_TYPE})

    async def show_health(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def show_readiness(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n") if ready() else web.Response(status=503, text="still reading the cluster\n")

    app = web.Application()
    app.add_routes(
        [web.get("/metrics", show_metrics), web.get("/healthz", show_health), web.get("/readyz", show_readiness)]
    )
    return app
