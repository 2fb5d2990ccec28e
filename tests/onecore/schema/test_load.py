"""What text becomes, where its parts begin, and what is refused."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from onecore.errors import InvalidInput
from onecore.schema import Document, load_file, load_text
from onecore.schema.nodes import MAX_BYTES, document_of
from onecore.schema.yaml_text import parse_yaml

CLUSTER = """\
name: paris
hosts:
  - name: one
    provision:
      count: 2
  - {name: two, tags: [a,
      b]}
"""


def refusal_of(text: str | bytes, name: str = "cluster.yaml") -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        load_text(text, name)
    return caught.value


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a: 1", {"a": 1}),
        ("a: on\nb: no", {"a": True, "b": False}),
        ("a:\nb: ~", {"a": None, "b": None}),
        ("a: 1.5\nb: 0x10\nc: 010", {"a": 1.5, "b": 16, "c": 8}),
        ("a: !!str 5\nb: !!int '5'", {"a": "5", "b": 5}),
        ("a: 2026-11-21\nb: 2026-11-21 09:30:00", {"a": "2026-11-21", "b": "2026-11-21 09:30:00"}),
        ("a: =\nb: <<", {"a": "=", "b": "<<"}),
        ("a: |\n  x\n  y\n", {"a": "x\ny\n"}),
        ("- 1\n- [2]", [1, [2]]),
        ("\ufeffa: 1", {"a": 1}),
        ("---\na: 1\n...\n", {"a": 1}),
        ('{"a": [1, -2.5, true, null, "x\\ny"], "b": {}}', {"a": [1, -2.5, True, None, "x\ny"], "b": {}}),
        ('{"a": 1e2, "b": []}', {"a": 100.0, "b": []}),
        ("{a: 1, b: [c]}", {"a": 1, "b": ["c"]}),
    ],
)
def test_text_becomes_plain_data(text, data):
    assert load_text(text, "text").data == data
    assert load_text(text.encode(), "text").data == data


@pytest.mark.parametrize("key", ["on", "yes", "1", "0x10", "1.50", "null", "2026-11-21", "~"])
def test_a_key_is_always_the_text_that_was_written(key):
    assert load_text(f"{key}: 1", "text").data == {key: 1}


def test_an_alias_is_a_copy_of_its_own():
    data = load_text("a: &x {n: [1]}\nb: *x\n", "text").data
    assert isinstance(data, dict)
    data["a"]["n"].append(2)
    assert data["b"] == {"n": [1]}


def test_an_alias_can_be_a_key():
    assert load_text("a: &x yes\n*x : 1\n", "text").data == {"a": True, "yes": 1}


def test_merge_keeps_what_is_written_out_and_then_what_is_named_first():
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  <<: [*a, *b]\n  x: 3\n"
    data = load_text(text, "text").data
    assert isinstance(data, dict)
    assert data["c"] == {"x": 3, "y": 1, "z": 2}


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("name",), 1),
        (("hosts",), 3),
        (("hosts", 0), 3),
        (("hosts", 0, "provision", "count"), 5),
        (("hosts", 1, "tags", 1), 7),
        (("hosts", 1, "tags", 9), 6),
        (("hosts", 0, "missing", "deeper"), 3),
    ],
)
def test_every_part_knows_its_line_and_a_missing_one_that_of_what_is_around_it(path, line):
    assert load_text(CLUSTER, "cluster.yaml").line(path) == line


def test_json_knows_its_lines_too():
    document = load_text('{\n "a": [\n  1,\n  {"b":\n   2}\n ]\n}', "x.json")
    assert dict(document.lines) == {(): 1, ("a",): 2, ("a", 0): 3, ("a", 1): 4, ("a", 1, "b"): 5}


def test_what_comes_through_an_alias_has_the_line_of_the_anchor():
    document = load_text("a: &x\n  n: 1\nb: *x\n", "text")
    assert (document.line(("b",)), document.line(("b", "n"))) == (3, 2)


def test_without_lines_nothing_is_known():
    assert Document("x", {}, {}).line(("a",)) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: the document is empty"),
        ("# only a comment\n", "1: the document is empty"),
        ("---\n", "2: the document is empty"),
        ("null", "1: the document is empty"),
        ("a: 1\n---\nb: 2\n", "2: a second document begins here; give one document only"),
        ("a: 1\nb: 2\na: 3\n", "3: key 'a' is given twice, first in line 1"),
        ("1: a\n'1': b", "2: key '1' is given twice, first in line 1"),
        ("? [a]\n: 1", "1: a key must be a word, not a list or a mapping"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]", "2: the tag '!!python/object/apply:os.system'"),
        ("a: !!binary aGk=", "1: the tag '!!binary' is not allowed here"),
        ("a: !vault x", "1: the tag '!vault' is not allowed here"),
        ("a: !!map x", "1: the tag '!!map' is not allowed here"),
        ("%TAG !e! tag:x,2000:\n---\na: 1", "1: %TAG directives are not allowed"),
        ("a: !!int many", "1: 'many' is not of type !!int"),
        ("a: .inf", "1: infinity and NaN are not numbers here"),
        ("a: .NaN", "1: infinity and NaN are not numbers here"),
        ("a: 1\nb: 1234567890123456789", "2: a number has more than 18 digits; quote it if it is text"),
        ("a: *b", "1: alias '*b' has no anchor before it"),
        ("a: &a [*a]", "1: alias '*a' refers to what it is part of"),
        ("a: 1\n<<: 5", "2: '<<' takes a mapping or a list of mappings"),
        ("a: 1\nb: x\x07", "2: the control character '\\x07' is not allowed"),
        ("a: 1\nb: c: d", "2: a ':' is not allowed here; quote the text or check the indentation"),
        ("a:\n\t- b", "2: this character cannot start a value; quote the text, indent with spaces"),
        ("a: [1,\nb: 2", "2: a ',' or ']' is missing (this part begins in line 1)"),
        ("a: 'x", "1: a quoted text is not closed"),
        ("a: 1\n- b", "2: a key was expected here; check the indentation"),
        ("a: !e!x y", "1: custom tags are not allowed"),
        ("%FOO\n---\na: 1", "1: while scanning a directive: found unknown directive name"),
    ],
)
def test_yaml_is_refused_in_plain_words_with_its_line(text, message):
    assert f"cluster.yaml:{message}" in refusal_of(text).message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1,\n "a": 2}', "2: key 'a' is given twice, first in line 1"),
        ('{"a": NaN}', "1: infinity and NaN are not numbers here"),
        ('{"a": -Infinity}', "1: infinity and NaN are not numbers here"),
        ('{"a": 1e999}', "1: infinity and NaN are not numbers here"),
        ('{"a": 1234567890123456789}', "1: a number has more than 18 digits"),
        pytest.param('{"a": %s}' % ("9" * 5000), "1: a number has more than 18 digits", id="5000 digits"),
        ('["\\ud800"]', "1: '\\ud800' holds half of a surrogate pair"),
        ("[" * 65 + "]" * 65, "1: lists and mappings are nested more than 64 levels deep"),
        ("null", "1: the document is empty"),
    ],
)
def test_json_we_cannot_use_is_refused_whatever_the_name(text, message):
    assert refusal_of(text, "x.json").message == f"x.json:{message}"
    assert refusal_of(text, "request").message.startswith(f"request:{message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1\n "b": 2}', "2: a ',' or '}' is missing"),
        ("[1\n2]", "2: a ',' or ']' is missing"),
        ('{"a" 1}', "1: a ':' is missing after the key"),
        ('{"a": 1,}', '1: a key in double quotes is missing (and no "," may follow the last entry)'),
        ('{"a": }', "1: a value is missing or misspelled"),
        ('{"a": "x}', "1: a string is not closed"),
        ('{"a": "x\n"}', "1: a string holds a line break or control character; write it as an escape"),
        ('{"a": "\\q"}', "1: unknown escape in a string"),
        ("{}\n{}", "2: there is more text after the end of the document"),
        ("a: 1", "1: a value is missing or misspelled"),
    ],
)
def test_a_json_file_must_be_json(text, message):
    assert refusal_of(text, "x.json").message == f"x.json:{message}"


def test_the_place_of_a_problem_is_there_for_programs():
    assert refusal_of("a: 1\na: 2").context == {
        "errors": [
            {
                "file": "cluster.yaml",
                "line": 2,
                "path": "",
                "message": "key 'a' is given twice, first in line 1",
            }
        ]
    }


def laughs() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 20)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        laughs(),
        "[" * MAX_BYTES,
        "- " * (MAX_BYTES // 2),
        '{"a":' * 200_000,
        "- a\n" * 200_000,
        "a: 1" + ":00" * 300_000,
        "a: " + "9" * 1_000_000,
        "%TAG !a! b\n" * 90_000 + "---\na: 1",
        "a: &a {" + ", ".join(f"k{i}: 1" for i in range(1000)) + "}\nb: {<<: [" + "*a, " * 5000 + "]}",
    ],
    ids=["laughs", "lists", "dashes", "objects", "items", "base 60", "digits", "tags", "merges"],
)
def test_a_bomb_is_refused_before_it_goes_off(text):
    started = time.process_time()
    refusal_of(text)
    assert time.process_time() - started < 2  # the worst takes a third of a second, a real blast minutes


def test_a_billion_laughs_cost_next_to_nothing():
    started = time.process_time()
    message = refusal_of(laughs()).message
    assert message == ("cluster.yaml:6: more than 100000 values, aliases expanded; split the document")
    assert time.process_time() - started < 0.1


@pytest.mark.parametrize("levels", [64, 65])
def test_sixty_four_levels_are_the_limit_with_aliases_expanded(levels):
    half = levels - 3
    text = f"a: &a {'[' * 2}1{']' * 2}\nb: {'[' * half}*a{']' * half}"
    if levels > 64:
        assert "nested more than 64 levels" in refusal_of(text).message
    else:
        assert load_text(text, "text").data


@pytest.mark.parametrize(
    "text",
    ["x" * (MAX_BYTES + 1), b"x" * (MAX_BYTES + 1), "ä" * MAX_BYTES],
    ids=["text", "bytes", "two bytes a letter"],
)
def test_more_than_a_mebibyte_is_refused(text):
    assert refusal_of(text).message == "cluster.yaml: more than 1024 KiB of text"


@pytest.mark.parametrize("text", [b"\xff\xfea\x00", b"a: \xe9", "a: \ud800"])
def test_what_is_not_utf8_is_refused(text):
    assert refusal_of(text).message == "cluster.yaml: this is not UTF-8 text"


def test_a_file_is_known_by_the_path_it_was_given_as(tmp_path):
    path = tmp_path / "cluster.yaml"
    path.write_text("a: 1\nb: [\n")
    with pytest.raises(InvalidInput, match=r"cluster\.yaml:2: a value is missing"):
        load_file(path)
    path.write_text("a: 1\n")
    assert load_file(path) == Document(str(path), {"a": 1}, {(): 1, ("a",): 1})


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    large = tmp_path / "large.json"
    large.write_bytes(b" " * (MAX_BYTES + 1))
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    cases = {
        tmp_path / "none.yaml": "none.yaml' does not exist",
        tmp_path: "is a directory, not a file",
        large: "large.json: more than 1024 KiB of text",
        loop: "loop': too many levels of symbolic links",
        Path("a\0b"): "cannot read 'a\\x00b': embedded null byte",
    }
    for path, message in cases.items():
        with pytest.raises(InvalidInput) as caught:
            load_file(path)
        assert message in caught.value.message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(tmp_path):
    path = tmp_path / "secret.yaml"
    path.write_text("a: 1")
    path.chmod(0)
    with pytest.raises(InvalidInput, match=r"secret\.yaml': permission denied"):
        load_file(path)


def test_importing_the_package_brings_neither_parser_nor_validator():
    code = "import sys, onecore.schema; print({'yaml', 'jsonschema', 'referencing'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


def test_both_parsers_of_pyyaml_give_the_same():
    for text in (CLUSTER, "a: &x [1, yes]\nb: {<<: {c: *x}}\n"):
        slow = document_of(parse_yaml(text, "text", yaml.SafeLoader), "text")
        assert slow == load_text(text, "text")
