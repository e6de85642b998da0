"""The exported page: alt text, solutions that open, a player that plays without a kernel and without a network."""

import json

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_markdown_cell, new_notebook

from tests.browser.lab import browser
from tools.export_html import export, main, page
from tools.notebooks import read


@pytest.fixture(scope="module")
def exported(executed, tmp_path_factory):
    """Path of the fixture lesson's page."""
    return export(executed, tmp_path_factory.mktemp("html"))


@pytest.fixture(scope="module")
def soup(exported):
    return BeautifulSoup(exported.read_text(encoding="utf-8"), "html.parser")


def test_every_picture_has_its_alt_text_and_lies_in_the_page(soup, executed):
    outputs = [output for cell in read(executed).cells for output in cell.get("outputs", [])]
    alts = [output.metadata["image/png"]["alt"] for output in outputs if "image/png" in output.get("data", {})]
    images = soup.find_all("img")
    assert [image["alt"] for image in images] == alts
    assert all(image["src"].startswith("data:image/png;base64,") for image in images)
    assert [image["width"] for image in images] == ["576", "576", "978"]


def test_the_filmstrip_says_how_it_is_cut(soup):
    (image,) = soup.select("img[data-filmstrip]")
    strip = json.loads(image["data-filmstrip"])
    assert (strip["frames"], strip["columns"]) == (9, 3)
    assert strip["labels"][8] == "step 8"
    assert strip["captions"][0] == "Normal density with mean -2.0 cm, spread 1.0 cm and peak 0.40 per cm."


def test_a_solution_is_closed_under_its_title(soup):
    (details,) = soup.find_all("details")
    assert not details.has_attr("open")
    assert details.summary.text == "Solution: the sum of the first hundred numbers"
    assert "5050" in details.text
    assert "5050" not in soup.text.replace(details.text, "")


def test_nothing_but_mathjax_comes_from_outside_the_page(soup):
    outside = [
        tag["src"] for tag in soup.select("script[src], img[src], iframe[src]") if not tag["src"].startswith("data:")
    ]
    outside += [tag["href"] for tag in soup.select("link[href]")]
    assert len(outside) == 1
    assert "mathjax" in outside[0]


def test_the_page_has_a_language_and_a_title(soup):
    assert soup.html["lang"] == "en"
    assert soup.title.text == "A small lesson"


def test_quotes_and_brackets_in_a_caption_stay_as_they_are(executed):
    nb = read(executed)
    alt = "p(x | y = 'a') < \"½\" & rising, step by step."
    nb.cells[3].outputs[0].metadata["image/png"]["alt"] = alt
    strip = nb.cells[7].outputs[0].metadata["image/png"]["filmstrip"]
    strip["captions"][0] = alt
    images = BeautifulSoup(page(nb, "small"), "html.parser").find_all("img")
    assert images[0]["alt"] == alt
    assert json.loads(images[2]["data-filmstrip"])["captions"][0] == alt


def test_links_between_lessons_lead_to_pages():
    source = "# A\n\n[next](02_lda.ipynb), [its end](02_lda.ipynb#end), `x.ipynb`"
    html = BeautifulSoup(page(new_notebook(cells=[new_markdown_cell(source)]), "a"), "html.parser")
    assert [link["href"] for link in html.select("p a")] == ["02_lda.html", "02_lda.html#end"]
    assert html.code.text == "x.ipynb"


def test_a_name_that_is_no_notebook_is_refused():
    with pytest.raises(SystemExit, match="no notebook is called 'nowhere'"):
        main(["nowhere"])


@pytest.fixture
def opened(exported):
    """The page in Chromium with the network closed; what it asked the network for."""
    with browser() as tab:
        tab.asked = []

        def answer(route):
            if route.request.url.startswith("file:"):
                route.continue_()
            else:
                tab.asked.append(route.request.url)
                route.abort()

        tab.route("**/*", answer)
        tab.goto(exported.as_uri())
        yield tab
        assert tab.asked == []
        # MathJax measures with an empty font, which Chromium refuses a page that is a file
        assert [error for error in tab.errors if "about:blank" not in error] == []


def corner(tab):
    """Which frame lies in the window, as (column, row)."""
    return tab.evaluate(
        """() => {
            const image = document.querySelector('.course-player img').getBoundingClientRect();
            const frame = document.querySelector('.course-player .frame').getBoundingClientRect();
            return [(frame.left - image.left) / frame.width, (frame.top - image.top) / frame.height];
        }"""
    )


@pytest.mark.browser
def test_the_player_plays_pauses_and_steps(opened):
    label = opened.locator(".course-player output")
    assert label.inner_text() == "step 0"
    opened.get_by_role("button", name="Play").click()
    opened.wait_for_function("document.querySelector('.course-player output').textContent === 'step 2'")
    opened.get_by_role("button", name="Pause").click()
    stopped = label.inner_text()
    opened.wait_for_timeout(1200)  # two frames at its speed
    assert label.inner_text() == stopped
    opened.get_by_role("button", name="Step on").click()
    assert label.inner_text() == f"step {int(stopped[-1]) + 1}"
    opened.get_by_role("button", name="Step back").click()
    assert label.inner_text() == stopped


@pytest.mark.browser
def test_the_player_obeys_the_keyboard(opened):
    slider = opened.get_by_role("slider", name="Frame")
    slider.focus()
    for _ in range(4):
        opened.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "step 4"
    assert corner(opened) == pytest.approx([1, 1], abs=0.01)  # of three columns
    picture = opened.locator(".course-player img")
    assert (
        picture.get_attribute("alt") == "step 4: Normal density with mean 0.0 cm, spread 1.0 cm and peak 0.40 per cm."
    )
    opened.keyboard.press("End")
    assert corner(opened) == pytest.approx([2, 2], abs=0.01)
    opened.get_by_role("button", name="Play").press("Enter")  # from the end it begins again
    opened.wait_for_function("document.querySelector('.course-player output').textContent === 'step 1'")
    opened.get_by_role("button", name="Pause").press(" ")


@pytest.mark.browser
def test_the_player_stops_at_the_end_and_can_be_hurried(opened):
    opened.get_by_role("combobox", name="Speed").select_option("4")
    opened.get_by_role("button", name="Play").click()
    opened.wait_for_function("document.querySelector('.course-player output').textContent === 'step 8'", timeout=5000)
    opened.get_by_role("button", name="Play").wait_for()


@pytest.mark.browser
def test_a_narrow_window_shows_the_whole_frame(opened):
    opened.set_viewport_size({"width": 400, "height": 700})
    box = opened.locator(".course-player .frame").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 400
    opened.get_by_role("slider", name="Frame").press("End")
    assert corner(opened) == pytest.approx([2, 2], abs=0.01)


@pytest.mark.browser
def test_on_paper_the_whole_sheet_is_seen(opened):
    opened.emulate_media(media="print")
    frame = opened.locator(".course-player .frame").bounding_box()
    image = opened.locator(".course-player img").bounding_box()
    assert image["height"] <= frame["height"] + 1
    assert image["width"] / image["height"] == pytest.approx(978 / (3 * 276), rel=0.02)
    assert not opened.locator(".course-player .buttons").is_visible()


@pytest.mark.browser
def test_a_solution_opens(opened):
    opened.get_by_text("Solution: the sum of the first hundred numbers").first.click()
    opened.get_by_text("5050").wait_for()


@pytest.mark.browser
def test_mathematics_is_set_without_a_network(opened):
    opened.wait_for_selector(".MathJax .math", state="attached", timeout=20_000)
    # It sets one formula after another, and shows each one's source until then.
    opened.evaluate("() => new Promise(resolve => MathJax.Hub.Queue(resolve))")
    assert "\\frac" not in opened.locator("p").first.inner_text()
