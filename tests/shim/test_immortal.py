"""What a zygote has made is shared for good, and Python goes on as before."""

from __future__ import annotations

import subprocess
import sys

import pytest

from wherry_shim import immortal

PROGRAM = """
import collections, dataclasses, gc, json, os, re, sys
from wherry_shim import immortal
@dataclasses.dataclass
class Kept:
    name: str
    others: list
kept = Kept("a name", [1 << 70, {"key": ("value",)}])
immortal.make_all()
counts = [sys.getrefcount(each) for each in (kept, kept.others, kept.others[1]["key"], Kept, Kept.__init__.__code__)]
assert (min(counts) > 1 << 31) is immortal.is_possible(), counts
for number in range(50_000):
    kept.others.append({"key": number}); kept.others.pop()
    kept.name = f"{kept.name[:9]}{number}"
    assert json.loads(json.dumps(dataclasses.asdict(Kept("other", [number]))))["others"] == [number]
del kept.others[1]
kept.others = []
gc.collect()
fresh = object()
assert sys.getrefcount(fresh) == 2
child = os.fork()
if not child:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print("went on", flush=True)
os._exit(0)
"""


def test_a_process_whose_objects_are_immortal_goes_on() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "went on\n"), done.stderr


@pytest.mark.skipif(sys.version_info[:2] not in {(3, 12), (3, 13)}, reason="run the tests with Python 3.12 or 3.13")
def test_these_versions_have_immortal_objects() -> None:
    assert immortal.is_possible()
