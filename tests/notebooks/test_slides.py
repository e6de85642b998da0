"""The decks: the cells that their metadata say, everything local, alt text, notes, and a browser without a network."""

import contextlib
import json
import re

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.browser.lab import browser
from tools.guide import Question, Row, plan, questions
from tools.notebooks import ROOT, read
from tools.slides import deck, export, main, timing

LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
every_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)

GUIDE = """# Teaching it

## Minutes

| section | alone | of 90 | of 50 | in class |
|---|---|---|---|---|
| 1. A picture | 10 | 12 | 8 | Ask before you run it. |
| 2. A history | 5 | 6 | – | Only the player. |
| quiz | – | 5 | 4 | By show of hands. |

## Questions

- **Section 2.** What moves? *The mean.*
- **Section 1.** How high is it? *About 0.4.*
"""


def lesson(executed):
    """The fixture lesson with slideshow metadata, numbered sections and a note."""
    nb = read(executed)
    kinds = ["slide", "-", "slide", "-", "subslide", "-", "slide", "-", "slide", "skip", "-"]
    for cell, kind in zip(nb.cells, kinds, strict=True):
        cell.metadata["slideshow"] = {"slide_type": kind}
    nb.cells[2].source, nb.cells[6].source = "## 1. A picture", "## 2. A history\n\nSee [lesson 2](02_lda.ipynb)."
    note = new_markdown_cell("Mention *Gauss*.", id="note", metadata={"slideshow": {"slide_type": "notes"}})
    nb.cells.insert(4, note)
    return nb


@pytest.fixture(scope="module")
def soup(executed):
    return BeautifulSoup(deck(lesson(executed), "small", GUIDE), "html.parser")


def slides(soup):
    """The slides, in order: sections without sections in them."""
    return [section for section in soup.select(".slides section") if not section.find("section")]


def test_the_guide_is_read():
    assert plan(GUIDE)[1:] == [
        Row("2. A history", 5, 6, 0, "Only the player."),
        Row("quiz", 0, 5, 4, "By show of hands."),
    ]
    assert questions(GUIDE)[0] == Question(2, "What moves?", "The mean.")


def test_slides_follow_the_metadata(soup):
    titles = [section.find(["h1", "h2"]).get_text().rstrip("¶") for section in slides(soup)]
    assert titles == ["A small lesson", "1. A picture", "A figure that moves", "2. A history", "An exercise"]
    below = slides(soup)[2].parent
    assert len(below.find_all("section", recursive=False)) == 2  # the subslide hangs below the slide before it
    assert "5050" not in soup.text  # the solution, which is skipped


def test_pictures_have_their_alt_text_and_folded_code(soup):
    images = soup.select(".slides img")
    assert len(images) == 3
    assert all(image["src"].startswith("data:image/png;base64,") and len(image["alt"]) > 20 for image in images)
    assert json.loads(images[2]["data-filmstrip"])["frames"] == 9
    first, *others = [details.summary.text for details in soup.select("details.course-code")]
    assert first == "A bell curve, and what draws it"  # behind which the cell is folded in the notebook, too
    assert others[0] == "Code: show(*bell(mean=1.0))"
    assert others[1].startswith("Code (in JupyterLab its sliders move): interactive( bell, mean=")
    assert not any(details.has_attr("open") for details in soup.select("details"))


def test_notes_tell_minutes_and_questions(soup):
    notes = [" ".join(aside.get_text().split()) for aside in soup.select("aside.notes")]
    assert notes == [
        "12 minutes of 90, from 0 to 12; 8 of 50, from 0 to 8. Ask before you run it. Ask: How high is it? About 0.4.",
        "Mention Gauss.",
        "6 minutes of 90, from 12 to 18; left out of 50. Only the player. Ask: What moves? The mean.",
    ]
    assert timing(GUIDE)["quiz"].startswith("**5 minutes** of 90, from 18 to 23; 4 of 50, from 8 to 12.")


def test_links_lead_to_decks_or_nowhere():
    source = "# A\n\n[next](02_lda.ipynb#end), [words](../docs/glossary.md), [site](https://example.org)"
    nb = new_notebook(cells=[new_markdown_cell(source), new_code_cell("1 + 1")])
    html = BeautifulSoup(deck(nb, "a"), "html.parser")
    assert [link["href"] for link in html.select("p a")] == ["02_lda.html#end", "https://example.org"]
    assert "words" in html.p.text


def outside(soup):
    """What the page loads that is not in it."""
    found = [tag["src"] for tag in soup.select("[src]") if not tag["src"].startswith("data:")]
    found += [tag["href"] for tag in soup.select("link[href]")]
    styles = "\n".join(style.get_text() for style in soup.select("style"))
    return found + re.findall(r"@import[^;]+|url\(\s*['\"]?(?!data:|#)[^)]+", styles)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the lessons' decks lie, side by side."""
    return tmp_path_factory.mktemp("slides")


@every_lesson
def test_a_lesson_s_deck_loads_only_what_lies_beside_it(path, folder):
    file = export(path, folder)
    soup = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")
    found = outside(soup)
    assert len(found) == 5  # MathJax; reveal.js, its notes, its style and theme
    for address in found:
        assert (folder / address.partition("?")[0]).is_file(), address
    assert "http" not in (folder / "reveal" / "dist" / "theme" / "white.css").read_text(encoding="utf-8")
    starts = [cell for cell in read(path).cells if cell.metadata.slideshow.slide_type in ("slide", "subslide")]
    assert len(slides(soup)) == len(starts)
    assert "solution_" not in soup.text
    assert {image.get("alt", "") for image in soup.select(".slides img")}.isdisjoint({""})


def test_a_name_that_is_no_notebook_is_refused():
    with pytest.raises(SystemExit, match="no notebook is called 'nowhere'"):
        main(["nowhere"])


@contextlib.contextmanager
def opened(file):
    """The deck in Chromium with the network closed, also in windows that it opens."""
    with browser() as tab:
        asked = []

        def answer(route):
            if route.request.url.startswith(("file:", "about:", "blob:", "data:")):
                route.continue_()
            else:
                asked.append(route.request.url)
                route.abort()

        tab.context.route("**/*", answer)
        tab.goto(file.as_uri())
        tab.wait_for_function("window.Reveal && Reveal.isReady()")
        yield tab
        assert asked == []
        # MathJax measures with an empty font, which Chromium refuses a page that is a file; and for some letters it
        # looks for its own font, which the installed copy has not, before it takes STIX, which it has
        theirs = re.compile(r"about:blank|mathjax/fonts/HTML-CSS/TeX/otf/")
        assert [error for error in tab.errors if not theirs.search(error)] == []


def settle(tab):
    """Wait until the mathematics of the present slide is set."""
    tab.evaluate("() => new Promise(resolve => MathJax.Hub.Queue(resolve))")


@pytest.fixture
def small(executed, tmp_path):
    """The fixture lesson's deck as a file, with what belongs beside it."""
    file = export(executed, tmp_path)
    file.write_text(deck(lesson(executed), "small", GUIDE), encoding="utf-8")
    return file


@pytest.mark.browser
def test_keys_turn_the_slides_but_not_under_a_player(small):
    with opened(small) as tab:
        settle(tab)
        assert "\\frac" not in tab.locator("section.present p").first.inner_text()
        for _ in range(3):
            tab.keyboard.press("Space")
        place = "(({ h, v }) => [h, v])(Reveal.getIndices())"
        assert tab.evaluate(place) == [2, 0]
        play = tab.get_by_role("button", name="Play")
        play.focus()
        tab.keyboard.press("Space")
        tab.get_by_role("button", name="Pause").wait_for()
        assert tab.evaluate(place) == [2, 0]


@pytest.mark.browser
def test_the_speaker_sees_the_notes(small):
    with opened(small) as tab:
        tab.evaluate("Reveal.slide(1, 0)")
        with tab.expect_popup() as popup:
            tab.keyboard.press("s")
        popup.value.get_by_text("How high is it?").wait_for()


@pytest.mark.slow
@pytest.mark.browser
@every_lesson
def test_every_slide_of_a_lesson_shows_its_figures_and_formulas(path, folder):
    with opened(export(path, folder)) as tab:
        faults = []
        for number in range(tab.evaluate("Reveal.getTotalSlides()")):
            settle(tab)
            fault = tab.evaluate(
                """() => {
                    const slide = Reveal.getCurrentSlide(), shown = slide.cloneNode(true);
                    shown.querySelectorAll("script, pre, code, aside, summary").forEach(one => one.remove());
                    const images = [...slide.querySelectorAll("img")].filter(one => !one.closest(".course-player"));
                    return {
                        raw: /\\$|\\\\(frac|mid|sum|log|tag)/.test(shown.textContent),
                        errors: slide.querySelectorAll(".MathJax_Error, .merror").length,
                        empty: images.filter(one => !one.naturalWidth).length,
                        wide: images.filter(one => one.getBoundingClientRect().right > innerWidth).length,
                        tall: images.filter(one => one.getBoundingClientRect().height > innerHeight).length,
                    };
                }"""
            )
            faults += [(number, name) for name, found in fault.items() if found]
            tab.keyboard.press("Space")
        assert faults == []
