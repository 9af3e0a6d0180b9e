"""JSON: however its objects are arranged."""

from lakehouse.files.json_objects import BROKEN, DEEPEST, KEY_TWICE, NO_OBJECT, TOO_DEEP
from tests.spec.delivered.case import Case, Chapter

_ONE, _TWO = ("1", "oak", "9.50"), ("2", "elm", "3.00")
_FIRST, _SECOND = '{"id":1,"name":"oak","price":9.50}', '{"id":2,"name":"elm","price":3.00}'

_NESTED = '{"a":' * DEEPEST + "1" + "}" * DEEPEST


def _json(text: str) -> dict[str, bytes]:
    return {"a.json": text.encode()}


JSON = Chapter(
    "JSON",
    "Objects are read alike however they are arranged. Numbers keep the digits that they are written with. What is no "
    "object goes to quarantine with its raw text, and reading goes on at the next line.",
    (
        Case(
            says="One object a line, several on a line (as Firehose writes), an array, and pretty-printed.",
            format="json",
            files={
                "a.json": f"{_FIRST}\n{_SECOND}\n".encode(),
                "b.json": (_FIRST + _SECOND).replace('"id":', '"id":1').encode(),
                "c.json": f"[{_FIRST},{_SECOND}]".replace('"id":', '"id":2').encode(),
                "d.json": b'[\n  {\n    "id": 31,\n    "name": "oak",\n    "price": 9.50\n  }\n]\n',
            },
            kept=(
                _ONE, _TWO, ("11", "oak", "9.50"), ("12", "elm", "3.00"), ("21", "oak", "9.50"),
                ("22", "elm", "3.00"), ("31", "oak", "9.50"),
            ),
        ),
        Case(
            says="Byte order marks of joined files, commas and record separators (RFC 7464) may stand between.",
            format="json",
            files={"a.json": f"\ufeff{_FIRST}\n\ufeff{_SECOND},\n".encode(), "b.json": f"\x1e{_FIRST}\n".encode()},
            kept=(_ONE, _TWO, _ONE),
        ),
        Case(
            says="A key that a record does not have is null, and so are null and empty text.",
            format="json",
            files=_json('{"id":1,"price":1}\n{"id":2,"name":null}\n{"id":3,"name":""}\n'),
            kept=(("1", None, "1.00"), ("2", None, None), ("3", None, None)),
        ),
        Case(
            says="A key that no record has is a column that was not delivered (S37).",
            format="json",
            files=_json('{"id":1,"names":"oak","price":1}\n'),
            refused="has no column 'name'. Did you mean 'names'?",
        ),
        Case(
            says="A broken object costs its line; a key twice and what is no object cost themselves.",
            format="json",
            files=_json(f'{{"id":1,"name":"cut sho\n{{"id":1,"id":2}}{_SECOND}\n12\n'),
            kept=(_TWO,),
            quarantined=((BROKEN, '{"id":1,"name":"cut sho'), (KEY_TWICE, '{"id":1,"id":2}'), (NO_OBJECT, "12")),
        ),
        Case(
            says="An array that does not end is no whole delivery.",
            format="json",
            files=_json(f"[{_FIRST},{_SECOND}"),
            refused="{folder}/a.json has an array, begun in line 1, that does not end",
        ),
        Case(
            says="Numbers are not read as floating: no digit is lost. Nested values are JSON text.",
            format="json",
            files=_json('{"id":9007199254740993,"name":{"a":[1.10,"b"]},"price":0.10}'),
            kept=(("9007199254740993", '{"a":[1.10,"b"]}', "0.10"),),
        ),
        Case(
            says="A record that is nested more than 200 deep goes to quarantine.",
            format="json",
            files=_json(f'{{"id":1,"name":{_NESTED}}}\n{_SECOND}\n'),
            kept=(_TWO,),
            quarantined=((TOO_DEEP, f'{{"id":1,"name":{_NESTED}}}'),),
        ),
        Case(
            says="A column that a record has, and the name of its folder too, has two values: refused.",
            format="json",
            files={"name=oak/a.json": b'{"id":1,"price":9.50}\n{"id":2,"price":1,"name":"elm"}\n'},
            refused="a.json has a column 'name', which the name of its folder has, too",
        ),
    ),
)  # fmt: skip
