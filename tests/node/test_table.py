"""The runtime table goes into any configuration and out of it again, and nothing else changes."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.node import configs
from wherry_shim.node import table
from wherry_shim.node.fault import NodeError
from wherry_shim.node.toml_text import statements, string, tokens

MAIN = "/etc/containerd/config.toml"
DROP_IN = "/etc/containerd/conf.d/wherry.toml"
IMPORT = "/etc/containerd/conf.d/wherry*.toml"
PREFIX = "/opt/wherry"
RUNTIME = {
    "runtime_type": "io.containerd.wherry.v1",
    "runtime_path": "/opt/wherry/current/bin/containerd-shim-wherry-v1",
    "pod_annotations": ["plan.wherry.dev/*"],
    "container_annotations": ["io.kubernetes.container.*"],
}

every_config = pytest.mark.parametrize("config", configs.RIGHT.values(), ids=configs.RIGHT)


def version_of(config: str) -> int:
    return table.declared_version(tomllib.loads(config))


@every_config
def test_the_import_is_added_and_removed_without_touching_another_byte(config: str) -> None:
    added = table.with_import(config, MAIN, DROP_IN)
    assert table.with_import(added, MAIN, DROP_IN) == added
    before = tomllib.loads(config)
    imports = before.get("imports", [])
    if imports != ["conf.d/*.toml"]:
        imports = [*imports, IMPORT]
    assert tomllib.loads(added) == {**before, "imports": imports}
    assert table.without_import(added, MAIN, DROP_IN).removesuffix("\n") == config.removesuffix("\n")


@every_config
def test_the_block_is_added_and_removed_without_touching_another_byte(config: str) -> None:
    version = version_of(config)
    added = table.with_block(config, MAIN, version, PREFIX)
    assert table.with_block(added, MAIN, version, PREFIX) == added
    plugin = {0: "cri", 2: "io.containerd.grpc.v1.cri", 3: "io.containerd.cri.v1.runtime"}[version]
    assert tomllib.loads(added)["plugins"][plugin]["containerd"]["runtimes"]["wherry"] == RUNTIME
    removed = table.without_block(added)
    assert removed.removesuffix("\n").removesuffix("\r") == config.removesuffix("\n").removesuffix("\r")


@every_config
def test_lines_end_as_they_did(config: str) -> None:
    for changed in (table.with_block(config, MAIN, 2, PREFIX), table.with_import(config, MAIN, DROP_IN)):
        assert ("\r\n" in changed) == ("\r\n" in config)
        assert changed.count("\r\n") in {0, changed.count("\n")}


def test_the_added_line_reads_as_a_person_would_write_it() -> None:
    changed = table.with_import(configs.KIND, MAIN, DROP_IN)
    line = 'imports = ["/etc/containerd/conf.d/wherry*.toml"]  # wherry-node\n'
    assert changed == configs.KIND.replace("version = 2\n", "version = 2\n" + line)


def test_an_entry_joins_the_others_behind_the_last() -> None:
    changed = table.with_import(configs.MANY_LINES, MAIN, DROP_IN)
    assert f"    '/etc/containerd/two.toml', \"{IMPORT}\",\n]\n" in changed
    assert table.without_import(changed, MAIN, DROP_IN) == configs.MANY_LINES


def test_entries_that_came_later_stay_when_ours_goes() -> None:
    changed = table.with_import(configs.KIND, MAIN, DROP_IN).replace('wherry*.toml"]', 'wherry*.toml", "/later.toml"]')
    removed = table.without_import(changed, MAIN, DROP_IN)
    assert tomllib.loads(removed)["imports"] == ["/later.toml"]


def test_an_entry_that_an_administrator_emptied_our_line_around_goes_with_the_line() -> None:
    changed = table.with_import(configs.KIND, MAIN, DROP_IN) + "# a later remark\n"
    assert table.without_import(changed, MAIN, DROP_IN) == configs.KIND + "# a later remark\n"


def test_a_block_among_later_lines_is_cut_out() -> None:
    changed = table.with_block(configs.KIND, MAIN, 2, PREFIX) + "[debug]\n  level = 'debug'\n"
    assert table.without_block(changed) == configs.KIND + "[debug]\n  level = 'debug'\n"


def test_a_block_for_another_prefix_is_replaced() -> None:
    changed = table.with_block(table.with_block(configs.KIND, MAIN, 2, "/elsewhere"), MAIN, 2, PREFIX)
    assert changed == table.with_block(configs.KIND, MAIN, 2, PREFIX)


@pytest.mark.parametrize(
    ("version", "expected"),
    [(2, 2), (3, 3), (4, 3), (0, 2)],
    ids=["two", "three", "four is written as three", "none is written as two"],
)
def test_the_drop_in_declares_what_the_main_file_declares(version: int, expected: int) -> None:
    document = tomllib.loads(table.drop_in(version, PREFIX))
    assert document["version"] == expected
    (plugin,) = document["plugins"].values()
    assert plugin["containerd"]["runtimes"] == {"wherry": RUNTIME}


def test_a_table_that_is_there_and_the_same_is_left_to_its_owner() -> None:
    theirs = table.with_block(configs.KIND, MAIN, 2, PREFIX).replace("# >>>", "# mine").replace("# <<<", "# mine")
    assert table.with_block(theirs, MAIN, 2, PREFIX) == theirs


@pytest.mark.parametrize(
    ("config", "said"),
    [
        pytest.param("version = ", f"{MAIN}: Invalid value (at end of document), expected TOML 1.0", id="no TOML"),
        pytest.param('imports = "a"', f"{MAIN}: `imports` is 'a', expected a list of paths", id="not a list"),
        pytest.param("imports = [1]", f"{MAIN}: `imports` is [1], expected a list of paths", id="a list of numbers"),
    ],
)
def test_what_cannot_take_an_import_is_refused(config: str, said: str) -> None:
    with pytest.raises(NodeError) as refused:
        table.with_import(config, MAIN, DROP_IN)
    assert refused.value.message == said


@pytest.mark.parametrize(
    ("config", "said"),
    [
        pytest.param(configs.INLINE, "cannot be added at its end", id="an inline table cannot be extended"),
        pytest.param(
            configs.KIND + '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.wherry]\nruntime_type = "x"\n',
            "the handler 'wherry' is there with other options",
            id="another handler of our name",
        ),
    ],
)
def test_what_cannot_take_the_block_is_refused(config: str, said: str) -> None:
    with pytest.raises(NodeError, match=said):
        table.with_block(config, MAIN, 2, PREFIX)


@pytest.mark.parametrize("pattern", ["conf.d/*.toml", "/etc/containerd/conf.d/*", "./conf.d/wherry.toml", DROP_IN])
def test_an_import_that_finds_the_drop_in_is_enough(pattern: str) -> None:
    config = f'imports = ["{pattern}"]\n'
    assert table.with_import(config, MAIN, DROP_IN) == config


@pytest.mark.parametrize("pattern", ["*.toml", "/etc/*/wherry.toml", "conf.d/[a-v]*.toml", "/etc/containerd/*"])
def test_an_import_that_does_not_find_it_is_not(pattern: str) -> None:
    config = f'imports = ["{pattern}"]\n'
    assert table.with_import(config, MAIN, DROP_IN) == f'imports = ["{pattern}", "{IMPORT}"]\n'


KEYS = st.sampled_from(["a", "b", '"c d"', "'e.f'", '"\\u00e9"'])
VALUES = st.sampled_from(
    [
        "1",
        "true",
        '"x # y"',
        "'[z]'",
        '"""a\n]"b\\""""',
        "'''\nq'''",
        "[1, [2], # c\n 3]",
        '{k = "}"}',
        "1979-05-27 07:32:00",
    ]
)
LINES = st.lists(st.tuples(KEYS, VALUES), unique_by=lambda pair: pair[0], max_size=5)


@given(LINES, st.sampled_from(["", "# c\n", "\n\n  "]))
def test_statements_are_found_where_the_parser_finds_them(lines: list[tuple[str, str]], gap: str) -> None:
    text = "".join(f"{gap}{key} = {value}  # end\n" for key, value in lines)
    found = {statement.key[0]: text[statement.value : statement.end] for statement in statements(text)}
    assert {key: tomllib.loads(f"x = {value}")["x"] for key, value in found.items()} == tomllib.loads(text)


def test_strings_among_the_pieces_of_a_value_have_their_meaning() -> None:
    text = """x = ["a\\"b", 'c', # "d"\n]"""
    pieces = [string(text[piece.start : piece.end]) for piece in tokens(text, 4, len(text)) if piece.kind == "string"]
    assert pieces == ['a"b', "c"]
