"""Paints harbour.png: a sky, a sun, water and a boat. `python3 picture.py [WIDTH HEIGHT OUT]`."""

import math
import struct
import sys
import zlib


def colour(x: float, y: float) -> tuple[int, int, int]:
    """x and y from 0 to 1, y downwards."""
    if boat(x, y):
        return (88, 52, 36)
    if sail(x, y):
        return (244, 238, 220)
    if y > 0.62:
        wave = math.sin(90 * x + 14 * math.sin(30 * y)) * math.sin(160 * (y - 0.6) ** 0.7)
        return tuple(int(base + 26 * wave + 60 * (1 - y)) for base in (36, 84, 118))
    glow = math.exp(-9 * ((x - 0.72) ** 2 + (y - 0.3) ** 2))
    return tuple(min(255, int(base + reach * glow + 40 * y)) for base, reach in ((96, 150), (138, 90), (188, 10)))


def boat(x: float, y: float) -> bool:
    return 0.66 < y < 0.74 and abs(x - 0.36) < 0.17 - 1.2 * (y - 0.66)


def sail(x: float, y: float) -> bool:
    return 0.2 < y < 0.64 and 0 < x - 0.36 < 0.42 * (y - 0.2)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int) -> bytes:
    """8-bit RGB, rows filtered by the difference to the left."""
    rows = bytearray()
    for y in range(height):
        before = (0, 0, 0)
        rows.append(1)
        for x in range(width):
            now = colour(x / width, y / height)
            rows += bytes((a - b) & 255 for a, b in zip(now, before, strict=True))
            before = now
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(rows), 9))
        + chunk(b"IEND", b"")
    )


if __name__ == "__main__":
    width, height, out = (sys.argv[1:] or ["640", "400", "harbour.png"])[:3]
    with open(out, "wb") as file:
        file.write(png(int(width), int(height)))
