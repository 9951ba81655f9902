"""One request and its response: from a whole head until both the client and the guest are done with it.

Everything here runs on the worker's loop. The guest's thread sees the request's fields and sets `outcome`; it reads
`cancelled` at every epoch tick.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Literal

from wherry.engine.http.delivery import Delivery
from wherry.engine.http.head import Fields, RequestHead
from wherry.engine.http.pipes import RequestPipe, ResponsePipe
from wherry.engine.http.reply import BadResponse, ResponseHead, plain
from wherry.plan.ending import EXIT_LIMIT, Ending

if TYPE_CHECKING:
    from wherry.engine.http.connection import Connection
    from wherry.engine.http.worker import Worker

SMALL_BODY = 64 << 10
"""Bytes: a body up to this is collected first and handed over whole; a larger one streams."""

STREAMED_AGE = 2
"""Ticks after which a response is sent as it comes, and no longer whole."""

Cancelled = Literal["", "timeout", "client", "shutdown"]


@dataclass(slots=True)
class Outcome:
    """How a guest's call ended. broken: why its response is not whole, though it returned. seconds: CPU time of its
    thread that no outcome has told yet. fuel: used, 0 when not counted. instances: made for it, 0 when a kept one
    served it."""

    ending: Ending
    trailers: Fields = field(default_factory=list)
    broken: str = ""
    seconds: float = 0.0
    fuel: int = 0
    instances: int = 1


class Exchange:
    """body: what arrived and was not handed over. complete: the request is whole. done: the client has its answer."""

    __slots__ = (
        "_delivery", "_streaming", "_worker", "age", "began", "body", "cancelled", "complete", "connection",
        "deadline", "done", "entered", "given", "head", "outcome", "received", "request_id", "stdin", "stdout",
        "submitted", "trailers",
    )  # fmt: skip

    def __init__(self, worker: Worker, connection: Connection, head: RequestHead) -> None:
        self._worker, self.connection, self.head = worker, connection, head
        self.first()
        if not head.request_id:
            head.identify(worker.new_request_id())
        self.request_id = head.request_id
        self.body: list[bytes] = []
        self.trailers: Fields = []
        self.received = 0
        self.complete = False
        self.submitted = False
        self.entered = False  # a thread has begun with it
        self.age = 0  # ticks since then
        self.cancelled: Cancelled = ""
        self.done = False
        self.stdin: RequestPipe | None = None
        self.stdout: ResponsePipe | None = None
        self.given: bytes | None = None  # a head that does not come through stdout
        self.outcome: Outcome | None = None
        self._delivery: Delivery | None = None
        self._streaming = False
        worker.opened(self)

    # The request

    def first(self) -> None:
        """It is the connection's turn to answer it: its time begins."""
        self.began = monotonic()
        self.deadline = self.began + self._worker.timeout

    def add(self, data: bytes) -> None:
        """More of the body."""
        self.received += len(data)
        if self.stdin is not None:
            self.stdin.write(data)
        elif not self.done:
            self.body.append(data)
            if self.received > SMALL_BODY:
                self.connection.pause_reading()

    def end(self) -> None:
        """The request is whole."""
        self.complete = True
        if self.stdin is not None:
            self.stdin.end()

    @property
    def ready(self) -> bool:
        """Whether a guest should have it now: whole, or too large or too slow to wait for."""
        return self.complete or self.head.length is None or self.head.length > SMALL_BODY

    def start(self) -> None:
        """A guest takes it: what comes of the body from now on streams."""
        self.stdout = self._worker.pipes.take()
        if self.complete:
            return
        connection = self.connection
        self.stdin = RequestPipe(self._worker.loop, connection.pause_reading, connection.resume_reading)
        connection.resume_reading()
        for data in self.body:
            self.stdin.write(data)
        self.body.clear()

    # The response

    def tick(self, now: float) -> None:
        """Called every few milliseconds: end what is too late, stream what is not finished quickly."""
        self.age += self.entered
        if self.done or not self.connection.answers(self):
            return
        if now > self.deadline:
            self._expire()
        elif self._streaming:
            self._use_given()
        elif self.age >= STREAMED_AGE and self.stdout is not None:
            self._stream()

    def give_head(self, head: bytes) -> None:
        """The response's head, in the guest's thread: its body may be on the way already."""
        self.given = head
        if self._streaming:
            self._worker.loop.call_soon_threadsafe(self._use_given)

    def _use_given(self) -> None:
        if self.given is None or self.done or self.stdout is None or self._deliver().status:
            return
        self._feed(b"")
        if not self.connection.write_paused:
            self.resume()

    def pause(self) -> None:
        """The client does not keep up: let the pipe fill, so that the guest waits."""
        if self._streaming and not self.cancelled and self.stdout is not None:
            self._worker.loop.remove_reader(self.stdout.reader)

    def resume(self) -> None:
        if self._streaming and self.stdout is not None:
            self._worker.loop.add_reader(self.stdout.reader, self._readable)

    def _stream(self) -> None:
        self._streaming = True
        if not self.connection.write_paused:
            self.resume()

    def _readable(self) -> None:
        assert self.stdout is not None  # noqa: S101 - narrows the type
        data = self.stdout.read()
        if self.done:  # nobody wants it; reading lets the guest come to its end
            return
        self._feed(data)

    def _feed(self, data: bytes) -> None:
        delivery = self._deliver()
        try:
            delivery.feed(data)
        except BadResponse as error:
            self._bad_response(error)
            return
        if delivery.full and self.given is None:
            self.pause()

    def _find_head(self, output: bytes | bytearray, /) -> tuple[ResponseHead, int] | None:
        return self._worker.guest.find_head(output, self.given)

    def finish(self) -> None:
        """The guest has ended: called once for each exchange that was started."""
        outcome, pipe = self.outcome, self.stdout
        assert outcome is not None  # noqa: S101 - narrows the type
        assert pipe is not None  # noqa: S101 - narrows the type
        if self._streaming:
            self._worker.loop.remove_reader(pipe.reader)
        rest = pipe.read()
        self.stdout = None
        self._worker.pipes.give(pipe)
        if self.stdin is not None:
            self.stdin.close()
        self._worker.count(self, outcome)
        if not self.done:
            self._respond(outcome, rest)
        self._worker.closed(self)

    def _respond(self, outcome: Outcome, rest: bytes) -> None:
        if outcome.ending.category not in ("exit", "signal"):
            self._worker.journal.ended(outcome.ending, self.head, self.request_id)
            self.answer(500, "the guest failed")
            return
        try:
            if outcome.broken:
                raise BadResponse(outcome.broken)
            self._deliver().finish(rest, outcome.trailers)
        except BadResponse as error:
            self._bad_response(error)
        else:
            self._settle(True)

    def _deliver(self) -> Delivery:
        if self._delivery is None:
            self._delivery = Delivery(
                self.connection.transport, self.head, self._find_head, self._worker.date(), self._extra()
            )
        return self._delivery

    def _extra(self) -> bytes:
        line = b"x-request-id: %s\r\n" % self.request_id
        if self.connection.closes(self):
            return line + b"connection: close\r\n"
        return line + b"connection: keep-alive\r\n" if self.head.version == "1.0" else line

    def _bad_response(self, error: BadResponse) -> None:
        self._worker.journal.refused(f"bad response: {error}", self.head, self.request_id)
        self.answer(502, "the guest gave no valid response")

    # Other ends than the guest's own

    def answer(self, status: int, reason: str) -> None:
        """End it with a short answer of our own; when a head is already out, cut the connection."""
        delivery = self._deliver()
        whole = not delivery.status
        if whole:
            head, body = plain(status, reason)
            delivery.whole(head, body)
        self._settle(whole)

    def cancel(self, why: Cancelled, status: int = 0, reason: str = "") -> None:
        """End it early: the guest is stopped at its next epoch tick, its output goes nowhere.

        The client gets `status`, if there is one and no head is out; else the connection is cut.
        """
        if self.done:
            return
        self.cancelled = why
        self._worker.withdraw(self)
        if self.stdin is not None:
            self.stdin.close()
        if status:
            self.answer(status, reason)
        else:
            self._settle(False)
        if self.stdout is not None:
            self._streaming = True
            self.resume()

    def drop(self) -> None:
        """Forget a request whose turn has not come."""
        self.done = True
        self._worker.closed(self)

    def _expire(self) -> None:
        sentence = f"the request took longer than {self._worker.timeout:g} s"
        self._worker.journal.ended(Ending(EXIT_LIMIT, "limit", "timeout", sentence), self.head, self.request_id)
        self._worker.meter.ended("limit", "timeout")
        self.cancel("timeout", 504, "the guest took too long")

    def _settle(self, whole: bool) -> None:
        """The client's side is over."""
        self.done = True
        self.body.clear()
        delivery, self._delivery = self._delivery, None
        status = delivery.status if delivery else 0
        self._worker.settled(self, status, delivery.sent if delivery else 0, whole)
        self.connection.settled(self, whole, delivery is None or delivery.cut_shows)
        if self.stdout is None and self.outcome is None:
            self._worker.closed(self)
