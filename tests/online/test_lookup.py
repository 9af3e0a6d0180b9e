"""The output of `ziggurat get`, as text and as JSON, and the few modules that are loaded for it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from definitions.errors import UsageError
from online_store.snapshot import StoredSelection, StoredService
from online_store.stores import StoreSettings
from tests.online.examples import a_snapshot, a_view, batch_of, churn, nightly
from ziggurat.cli.online import look_up
from ziggurat.cli.online_format import age_text

PROJECT_ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(embedded):
    embedded.export(*nightly(2))
    return embedded.folder.root


def test_a_person_sees_values_with_units_age_and_state(folder):
    snapshot_id = nightly(2)[0].snapshot_id
    text = look_up(StoreSettings(folder), "churn_v1", ["household_id=22"], at="2017-11-03T05:00:00Z", as_json=False)
    expected = f"""\
churn_v1  household_id=22
at 2017-11-03T05:00:00Z: snapshot {snapshot_id}, as of 2017-11-03, release 2

  household_spend v1  household_sp  5 h old
    visit_count_7d      24
    sales_value_sum_7d   2  USD

  demographics v1  demographics  static
    age                 35-44"""
    assert text == expected


def test_a_person_sees_why_there_is_no_value(folder):
    text = look_up(StoreSettings(folder), "churn_v1", ["household_id=23"], at="2017-11-09", as_json=False)
    assert "household_spend v1  household_sp  unseen\n    visit_count_7d      –" in text
    text = look_up(StoreSettings(folder), "churn_v1", ["household_id=22"], at="2017-11-09", as_json=False)
    assert "household_spend v1  household_sp  expired, 6 d old\n    visit_count_7d      –" in text


def test_a_machine_reads_one_object_with_all_of_it(folder):
    output = json.loads(look_up(StoreSettings(folder), "churn_v1", ["household_id=22"], at="2017-11-04", as_json=True))
    assert {name: output[name] for name in ("service", "keys", "at", "as_of", "release")} == {
        "service": "churn_v1",
        "keys": {"household_id": 22},
        "at": "2017-11-04T00:00:00Z",
        "as_of": "2017-11-03",
        "release": 2,
    }
    assert output["snapshot"] == nightly(2)[0].snapshot_id
    assert output["fingerprint"] == churn().fingerprint
    spend, profile = output["views"]
    assert spend["features"][1] == {
        "name": "household_spend__sales_value_sum_7d", "value": 2.0, "type": "double", "unit": "USD"
    }  # fmt: skip
    assert (spend["state"], spend["age_us"], spend["event_time"]) == ("fresh", 86_400_000_000, "2017-11-03T00:00:00Z")
    assert (profile["state"], profile["age_us"], profile["event_time"]) == ("static", None, None)


def test_values_are_sent_exactly_and_shown_on_one_line(embedded):
    columns = {"ratio": "double", "note": "string", "cost": "decimal(10,2)", "raw": "binary", "big": "bigint"}
    view = a_view("aggregate/odd/v1", keys={"shop": "string"}, columns=columns, rows=1)
    selection = StoredSelection("odd", view.table, keys=(("shop", "shop"),), features=tuple(columns))
    service = StoredService("odd_v1", "f", selections=(selection,))
    row = batch_of(view, [["a=b", 0.1 + 0.2, "two\nlines\x1b[2J", 12, b"\xff", 2**53 + 1]])
    embedded.export(a_snapshot(view, services=[service]), {view.table: [row]})

    words = {"pairs": ["shop=a=b"], "at": None}
    [output] = json.loads(look_up(StoreSettings(embedded.folder.root), "odd_v1", **words, as_json=True))["views"]
    assert [feature["value"] for feature in output["features"]] == [
        0.30000000000000004, "two\nlines\x1b[2J", "12.00", "/w==", 2**53 + 1
    ]  # fmt: skip
    text = look_up(StoreSettings(embedded.folder.root), "odd_v1", **words, as_json=False)
    assert r'note   "two\nlines\u001b[2J"' in text


@pytest.mark.parametrize(
    ("words", "at", "message"),
    [
        (["household_id"], None, "'household_id' is not a key and its value; write e.g. household_id=1234"),
        (["=22"], None, "'=22' is not a key"),
        (["household_id=1", "household_id=2"], None, "key 'household_id' is given twice"),
        ([], None, r"needs household_id \(bigint\)"),
        (["household_id="], None, "'' is not a whole number"),
        (["household_id=22"], "yesterday", "at: 'yesterday' is not an instant"),
        (["household_id=22"], "2017-11-01", "lies before 2017-11-03"),
    ],
)
def test_words_that_can_not_be_read_are_a_usage_error(folder, words, at, message):
    with pytest.raises(UsageError, match=message):
        look_up(StoreSettings(folder), "churn_v1", words, at=at, as_json=False)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7_199, "119 min"),
        (10_800, "3 h"),
        (172_799, "47 h"),
        (172_800, "2 d"),
    ],
)
def test_an_age_is_shown_in_its_largest_unit(seconds, text):
    assert age_text(seconds * 1_000_000 + 999_999) == text


def test_a_look_up_loads_no_engine(folder):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from online_store.stores import StoreSettings\n"
        "from ziggurat.cli.online import look_up\n"
        "look_up(StoreSettings(Path(sys.argv[1])), 'churn_v1', ['household_id=22'], at=None, as_json=False)\n"
        "heavy = {'pyspark', 'delta', 'pandas', 'pyarrow', 'numpy', 'sqlglot', 'pydantic', 'great_expectations'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(folder)],
        cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
