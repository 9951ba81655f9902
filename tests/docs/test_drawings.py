"""Drawings are text that GitHub draws: each line is of a form that it knows, and names what was named."""

from __future__ import annotations

import re

import pytest

from tests.docs.blocks import Block, blocks, pages

NODE = r'(\w+)(?:\["[^"]+"\]|\[\("[^"]+"\)\])?'
LABEL = r'(?: "[^"]+" )?'
FLOW = re.compile(rf'end|subgraph (\w+)\["[^"]+"\]|{NODE}(?: (?:--{LABEL}-->|-\.{LABEL}\.->|-->) {NODE})?')
MESSAGE = re.compile(r"(\w+)->>(\w+): [^;#]+")
NOTE = re.compile(r"Note over (\w+): [^;#]+")
PARTICIPANT = re.compile(r"participant (\w+) as [^;#]+")
DRAWINGS = [block for page in pages() for block in blocks(page) if block.language == "mermaid"]


def named(block: Block) -> str:
    return block.name


def test_there_are_drawings() -> None:
    assert len(DRAWINGS) >= 3


@pytest.mark.parametrize("drawing", [each for each in DRAWINGS if each.text.startswith("flowchart")], ids=named)
def test_a_flow_has_arrows_between_parts_that_have_a_name(drawing: Block) -> None:
    first, *lines = drawing.text.splitlines()
    assert first in {"flowchart LR", "flowchart TB"}
    assert [line for line in lines if not FLOW.fullmatch(line.strip())] == []
    titled = set(re.findall(r"(\w+)\[", drawing.text))
    used = {name for line in lines for name in FLOW.fullmatch(line.strip()).groups() if name}  # type: ignore[union-attr]
    assert used == titled
    assert drawing.text.count("subgraph") == sum(line.strip() == "end" for line in lines)


@pytest.mark.parametrize("drawing", [each for each in DRAWINGS if each.text.startswith("sequence")], ids=named)
def test_a_sequence_is_spoken_by_those_who_take_part(drawing: Block) -> None:
    first, *lines = map(str.strip, drawing.text.splitlines())
    assert first == "sequenceDiagram"
    said = [(PARTICIPANT.fullmatch(line), MESSAGE.fullmatch(line) or NOTE.fullmatch(line)) for line in lines]
    assert [line for line, found in zip(lines, said, strict=True) if not any(found)] == []
    there = {part[1] for part, _ in said if part}
    speaking = {name for _, message in said if message for name in message.groups()}
    assert speaking == there


@pytest.mark.parametrize("drawing", DRAWINGS, ids=named)
def test_a_drawing_is_a_flow_or_a_sequence(drawing: Block) -> None:
    assert drawing.text.split()[0] in {"flowchart", "sequenceDiagram"}
