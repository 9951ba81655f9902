"""Container logs as containerd writes them for the kubelet: `<time> <stdout|stderr> <P|F> <text>`. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One line of a container: stream is `stdout` or `stderr`, time as containerd wrote it."""

    time: str
    stream: str
    text: str


def parse(content: str) -> list[Line]:
    """Partial records (P) are joined with what follows on the same stream. A record that is still being written, which
    has no newline yet, is left out.
    """
    lines: list[Line] = []
    begun: dict[str, str] = {}
    for record in content.split("\n")[:-1]:
        time, stream, tag, text = record.split(" ", 3)
        text = begun.pop(stream, "") + text
        if tag == "P":
            begun[stream] = text
        else:
            lines.append(Line(time, stream, text))
    return lines + [Line("", stream, text) for stream, text in begun.items()]
