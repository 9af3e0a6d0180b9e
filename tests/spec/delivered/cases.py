"""All cases of what a delivered file may look like; the page docs/delivered-files.md is drawn from them."""

from tests.spec.delivered.csv_cases import ENCODINGS, FIELDS, HEADERS
from tests.spec.delivered.file_cases import FOLDERS, LISTING
from tests.spec.delivered.json_cases import JSON
from tests.spec.delivered.value_cases import VALUES

CHAPTERS = (LISTING, FOLDERS, FIELDS, HEADERS, JSON, ENCODINGS, VALUES)
CASES = tuple(case for chapter in CHAPTERS for case in chapter.cases)
