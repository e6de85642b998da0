"""Every committed notebook keeps the rules of tools/notebook_rules.py."""

import pytest

from tools.notebook_rules import RULES
from tools.notebooks import ROOT, normalise, read, text

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_rule(path, rule):
    complaints = rule(read(path))
    assert not complaints, f"{path.name}: " + "; ".join(complaints) + ". Mend this, or run `make notebooks`."


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_file_is_byte_for_byte_in_normal_form(path):
    # read_text turns CRLF into LF: git may check out either
    same = path.read_text(encoding="utf-8") == text(normalise(read(path)))
    assert same, f"{path.name} is not in normal form: run `make notebooks`"
