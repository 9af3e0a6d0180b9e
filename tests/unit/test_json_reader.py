"""JSON however it is arranged, object by object: what Python's json wrote is read value by value, and counted."""

import json
from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.files import json_objects
from lakehouse.files.json_objects import BROKEN, KEY_TWICE, NO_OBJECT
from lakehouse.files.json_reader import HALF_PAIR, JsonFormat, json_batches, json_keys
from lakehouse.files.text_stream import Unreadable, text_chunks

NAMES = ("id", "x")


def rows(
    content: str | bytes,
    *,
    columns: tuple[str, ...] = NAMES,
    encoding: str = "",
    chunk: int = 1 << 20,
    keep: bool = True,
) -> list[tuple[object, str, int]]:
    """The values or the problem, the raw text and the line of each record, in the order of the file."""
    data = content.encode() if isinstance(content, str) else content
    pieces: Iterator[bytes] = (data[n : n + chunk] for n in range(0, len(data), chunk))
    batches = list(
        json_batches(text_chunks(pieces, encoding), JsonFormat(encoding=encoding, empty_is_null=not keep), columns)
    )
    if not batches:
        return []
    read = zip(*(column.to_pylist() for column in pa.Table.from_batches(batches).columns), strict=True)
    return sorted(((problem or tuple(v), raw, line) for *v, problem, raw, line in read), key=lambda row: row[2])


ONE, TWO = ("1", "a"), ("2", None)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('{"id":1,"x":"a"}\n{"id":2}\n', [ONE, TWO]),
        ('{"id":1,"x":"a"}{"id":2}', [ONE, TWO]),
        ('{"id":1,"x":"a"} {"id":2}\n\n{"id":1,"x":"a"}\r\n', [ONE, TWO, ONE]),
        ('[{"id":1,"x":"a"},{"id":2}]', [ONE, TWO]),
        ('[\n  {"id":1,"x":"a"},\n  {"id":2,"x":null}\n]\n', [ONE, TWO]),
        ('{\n  "id": 1,\n  "x": "a"\n}\n{\n  "id": 2\n}\n', [ONE, TWO]),
        ('[{"id":1,"x":"a"}]\n[{"id":2}]\n', [ONE, TWO]),
        ("[]", []),
        (" \n", []),
        ('{"id":1.10,"x":1e400}{"id":1234567890123456789012,"x":-0.0}',
         [("1.10", "1e400"), ("1234567890123456789012", "-0.0")]),
        ('{"id":true,"x":false}{"id":NaN,"x":""}', [("true", "false"), ("NaN", "")]),
        ('{"id":{"b": [1.50, "c\\n", null]},"x":[]}', [('{"b":[1.50,"c\\n",null]}', "[]")]),
        ('{"id":1,"id":2}\n{"id":2}', [KEY_TWICE, TWO]),
        ('{"id":1,"x":{"y":1,"y":1}}{"id":2}', [KEY_TWICE, TWO]),
        ('{"id":1,"id":2\n{"id":2}', [BROKEN, TWO]),
        ('{"id":1,"x":"a"}\n{"id": 1, bro}\n{"id":2}\n', [ONE, BROKEN, TWO]),
        ('{"id":1,"x":"cut sho\n{"id":2}\n', [BROKEN, TWO]),
        ('{"id":1,"x":\n{"id":2}\n{"id":2}\n', [BROKEN, TWO, TWO]),
        ('{"id":2}\n{"id":1', [TWO, BROKEN]),
        ('1\n"x"\nnull\n[{"id":2}]\n', [NO_OBJECT, NO_OBJECT, NO_OBJECT, TWO]),
        ('[1, {"id":2}, [3]]', [NO_OBJECT, TWO, NO_OBJECT]),
        ('hello\n{"id":2}\n}\n', [BROKEN, TWO, BROKEN]),
        ('12 apples\n{"id":2}', [BROKEN, TWO]),
        ('{\n  "id": bro,\n  "x": {\n  }\n}\n{"id":2}\n', [BROKEN, TWO]),
        ('[\n  {\n    "id": 1,\n    "x": bro\n  },\n  {\n    "id": 2\n  }\n]\n', [BROKEN, TWO]),
        ('{"id":"\\ud800"}{"id":2}{"id":2,"y":"\\ud800"}', [HALF_PAIR, TWO, TWO]),
        ('{"id":"\\ud83d\\udeb2","x":"\\u0000"}', [("🚲", "\x00")]),
        ("[" * 100_000, None),
    ],
)  # fmt: skip
def test_every_object_is_read_or_has_its_problem(text: str, read: list[object] | None) -> None:
    for chunk in (1, 5, 1 << 20) if len(text) < 1000 else (1 << 20,):
        if read is None:
            with pytest.raises(Unreadable, match="does not end"):
                rows(text, chunk=chunk)
        else:
            assert sorted(str(row[0]) for row in rows(text, chunk=chunk)) == sorted(map(str, read))


def test_a_problem_keeps_its_raw_text_and_its_line() -> None:
    text = '\n[\n  {"id":2},\n  {\n    "id": bro\n  },\n  {"id":2}\n]\n{"id": 1,,}\n'
    for chunk in (1, 1 << 20):
        assert rows(text, chunk=chunk) == [
            (TWO, '{"id":2}', 3),
            (BROKEN, '{\n    "id": bro\n  },', 4),
            (TWO, '{"id":2}', 7),
            (BROKEN, '{"id": 1,,}', 9),
        ]


def test_bytes_that_are_not_of_the_encoding_cost_their_object() -> None:
    bad, good = rows(b'{"id":"K\xf6se"}\n{"id":2}')
    assert (bad[1:], good[0]) == (('{"id":"K\\xf6se"}', 1), TWO)
    assert "name the encoding of the files (options: encoding:)" in str(bad[0])
    assert rows('{"id":"Köse"}'.encode("cp1252"), encoding="cp1252")[0][0] == ("Köse", None)
    for encoding in ("utf-16", "utf-32", "utf-8-sig"):
        assert rows('{"id":"Köse"}\n'.encode(encoding), chunk=3)[0][0] == ("Köse", None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('\n[{"id":1},{"id":2}', "has an array, begun in line 2, that does not end"),
        ('[{"id":1},\n{"id":bro},{"id":2}]', "begun in line 1, that does not end, and its line 2 is broken"),
    ],
)
def test_an_array_that_does_not_end_is_no_whole_delivery(text: str, why: str) -> None:
    with pytest.raises(Unreadable) as told:
        rows(text)
    assert why in str(told.value)


def test_keys_are_those_of_all_objects_and_empty_text_is_null_unless_kept() -> None:
    assert json_keys(iter(['{"a":1}{"b":2,"a":1} x\n[{"c`.":1}]'])) == ["a", "b", "c`."]
    assert rows('{"id":"","x":" "}', keep=False)[0][0] == (None, " ")
    assert rows('{"id":1,"_problem":5,"_line":6}', columns=("_problem", "_line"))[0][0] == ("5", "6")


def test_an_open_object_in_a_long_text_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_objects, "LONGEST_OBJECT", 1000)
    text = '{"id":1,"x":[\n' + '{"id":2},\n' * 1000
    read = [row[0] for row in rows(text, chunk=100)]
    assert read == [BROKEN, *[TWO] * 1000]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.lists(st.dictionaries(st.sampled_from(["id", "x", "y.`"]), JSON, max_size=3), max_size=6)


@settings(max_examples=300, deadline=None)
@given(
    objects=OBJECTS,
    form=st.sampled_from(["lines", "one line", "array", "pretty", "pretty array"]),
    is_ascii=st.booleans(),
    chunk=st.integers(1, 50),
)
def test_what_python_writes_is_read_value_by_value(objects: list[dict], form: str, is_ascii: bool, chunk: int) -> None:
    indent = 2 if form.startswith("pretty") else None
    written = [json.dumps(value, indent=indent, ensure_ascii=is_ascii) for value in objects]
    text = {
        "lines": "\n".join(written),
        "one line": "".join(written),
        "array": json.dumps(objects, ensure_ascii=is_ascii),
        "pretty": "\n".join(written),
        "pretty array": json.dumps(objects, indent=indent, ensure_ascii=is_ascii),
    }[form]
    names = ("id", "x", "y.`")
    read = [row[0] for row in rows(text, columns=names, chunk=chunk)]
    assert len(read) == len(objects)
    for values, written_object in zip(read, objects, strict=True):
        for name, value in zip(names, values, strict=True):
            wanted = written_object.get(name)
            assert value == wanted if isinstance(wanted, str) or wanted is None else json.loads(value) == wanted


@settings(max_examples=200, deadline=None)
@given(soup=st.text(st.sampled_from('{}[]",:1a \n\\'), max_size=40), chunk=st.integers(1, 50))
def test_nothing_is_lost_of_whatever_stands_there(soup: str, chunk: int) -> None:
    try:
        read = rows(soup, chunk=chunk)
    except Unreadable:  # an array that does not end
        assert "[" in soup
        return
    kept = "".join(raw for _, raw, _ in read)
    assert sorted(kept.replace("\n", "").replace(" ", "").replace(",", "").replace("[", "").replace("]", "")) == sorted(
        soup.replace("\n", "").replace(" ", "").replace(",", "").replace("[", "").replace("]", "")
    )
