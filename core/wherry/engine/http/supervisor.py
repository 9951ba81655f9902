"""Serving a plan: worker processes on listeners that outlive them.

The parent owns the sockets, the counters and the processes, and runs no guest, no thread and no event loop, so that it
may fork at any time. Each post has its own listener (SO_REUSEPORT) that the parent keeps open: the kernel holds new
connections while a worker is replaced.
"""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

from wherry.engine.admin import Admin
from wherry.engine.host import Host, Reload
from wherry.engine.http.guest import load
from wherry.engine.http.listener import bind, listen
from wherry.engine.http.post import Post, shares_of
from wherry.engine.http.worker import CUT, Guest, Worker, collect_rarely
from wherry.engine.metering import Counters, create, summary
from wherry.engine.prepare import Prepared, prepare
from wherry.errors import WherryError
from wherry.plan.ending import Ending, exited, signalled
from wherry.plan.model import RunPlan

POLL = 0.5
GRACE = 2.0
"""Seconds beyond the drain after which a worker is killed."""

STOPS = (signal.SIGTERM, signal.SIGINT)


class Server:
    """A guest that is loaded, on sockets that are bound and do not listen yet."""

    def __init__(self, prepared: Prepared, host: Host) -> None:
        """Raises StartError."""
        plan = prepared.plan
        shares = shares_of(plan.limits.concurrency, host.workers or len(os.sched_getaffinity(0)))
        with ExitStack() as stack:
            self._sockets = [stack.enter_context(closing(one)) for one in bind(host.address, plan.port, len(shares))]
            self._counters = stack.enter_context(closing(create(host.metrics, len(shares))))
            posts = [Post(*parts) for parts in zip(self._sockets, self._counters.slots, shares, strict=True)]
            self._supervisor = stack.enter_context(closing(Supervisor(prepared, host, posts, self._counters)))
            self._report = host.report
            self._alone = host.alone and len(posts) == 1
            self._opened = stack.pop_all()

    def run(self, reload: Reload | None = None) -> Ending:
        """Serve until SIGTERM or SIGINT, then drain. In the main thread; once in a process that is `alone`.

        The ending is exit 0 when all that was in flight was finished within `plan.drain` seconds, else 128 + the
        signal. A second signal ends at once, but for a process that is alone.
        """
        if self._alone:
            return self._serve()
        with self._opened:
            supervisor = self._supervisor
            if self._alone:
                signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)  # until there is somebody to drain
            listen(self._sockets)
            ending = supervisor.serve() if self._alone else supervisor.run(reload)
            self._report(summary(self._counters.total()))
            return ending

    def _serve(self) -> Ending:
        """Nothing is freed: guests that were cut off may still use it, until the process ends."""
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)  # until there is somebody to drain
        listen(self._sockets)
        ending = self._supervisor.serve()
        self._report(summary(self._counters.total()))
        return ending

    def close(self) -> None:
        """Free what was opened; without effect after `run`."""
        self._opened.close()


class Supervisor:
    """Keeps every post filled until a signal comes."""

    def __init__(self, prepared: Prepared, host: Host, posts: list[Post], counters: Counters) -> None:
        self._host, self._posts, self._counters = host, posts, counters
        self._plan = prepared.plan
        self._guest = self._load(prepared)
        self._selector = selectors.DefaultSelector()
        self._stop = 0
        self._cut = False
        self._kill_at: float | None = None
        self._admin = None
        if host.admin is not None:
            self._admin = Admin(host.admin, self._selector, counters.total, self._healthy)

    def run(self, reload: Reload | None) -> Ending:
        """Until everything has ended."""
        with self._signals():
            for post in self._posts:
                self._fill(post)
            if self._admin is not None:
                self._say("metrics on http://{}:{}/metrics".format(*self._admin.address))
            self._introduce()
            while any(post.pids for post in self._posts) or not self._stop:
                for key, _ in self._selector.select(POLL):
                    key.data()
                self._tend()
                if reload is not None and not self._stop and (plan := reload()) is not None:
                    self._reload(plan)
        return signalled(self._stop) if self._cut else exited(0)

    def serve(self) -> Ending:
        """Be the one worker, in this process, until everything has ended (docs/decisions/0028)."""
        (post,) = self._posts
        self._introduce()
        collect_rarely()
        worker = Worker(self._plan, self._host.serving, post.station(self._host), self._guest)
        return signalled(signal.SIGTERM) if worker.run(STOPS) else exited(0)

    def close(self) -> None:
        if self._admin is not None:
            self._admin.close()
        self._selector.close()
        self._guest.close()

    # Workers

    def _load(self, prepared: Prepared) -> Guest:
        port: int = self._posts[0].listener.getsockname()[1]
        return load(prepared, self._host, max(post.concurrency for post in self._posts), port)

    def _fill(self, post: Post) -> None:
        others = [other.listener for other in self._posts if other is not post]
        watch = post.start(self._plan, self._host, self._guest, others)
        self._selector.register(watch, selectors.EVENT_READ, lambda: self._ended(post, watch))

    def _ended(self, post: Post, watch: int) -> None:
        self._selector.unregister(watch)
        ended = post.reap(watch)
        if ended.status == CUT or (self._stop and ended.signal):
            self._cut = True
        elif ended.status or ended.signal:
            self._say(f"worker {ended.pid} ended by {ended}")

    def _tend(self) -> None:
        now = time.monotonic()
        for post in self._posts:
            if not self._stop and not post.pid and now >= post.due:
                self._fill(post)
        if self._kill_at is not None and now > self._kill_at:
            self._kill_all()

    def _reload(self, plan: RunPlan) -> None:
        """New workers first, then the old ones drain. A plan that does not start leaves the old one running."""
        before = self._guest
        try:
            self._guest = self._load(prepare(plan, self._host))
        except WherryError as error:
            self._say(f"not reloaded: {error}")
            return
        self._plan = plan
        for post in self._posts:
            post.relieve()
            self._fill(post)
            post.dismiss()
        before.close()
        self._say("reloaded")

    def _healthy(self) -> bool:
        return not self._stop and all(post.pid for post in self._posts)

    # Signals

    @contextmanager
    def _signals(self) -> Iterator[None]:
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        handlers = {number: signal.signal(number, lambda *_: None) for number in STOPS}
        self._selector.register(reader, selectors.EVENT_READ, lambda: self._signalled(os.read(reader, 64)))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)  # whoever started us may have kept one back until now
        try:
            yield
        finally:
            self._kill_all()
            self._selector.unregister(reader)
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(wakeup)
            os.close(reader)
            os.close(writer)

    def _signalled(self, numbers: bytes) -> None:
        for number in numbers:
            if number not in STOPS:
                continue
            if self._stop:
                self._kill_all()
                return
            self._stop = number
            self._begin_drain()

    def _begin_drain(self) -> None:
        self._kill_at = time.monotonic() + self._plan.drain + GRACE
        for post in self._posts:
            post.listener.close()
            for pid in post.pids:
                os.kill(pid, signal.SIGTERM)

    def _kill_all(self) -> None:
        for post in self._posts:
            for pid in post.pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    # Words

    def _introduce(self) -> None:
        if self._host.reuse > 1 and self._guest.single:
            self._say(f"every request has its own instance: {self._guest.single}")
        self._say(f"serving on {self._url()}")

    def _url(self) -> str:
        address, port = self._posts[0].listener.getsockname()[:2]
        return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"

    def _say(self, text: str) -> None:
        os.write(self._host.stdio[2], f"wherry: {text}\n".encode())
