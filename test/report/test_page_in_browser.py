"""The page in a real browser: phone and desktop, light and dark, by pointer, by keyboard and on paper."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from dfer_ros.recordings.emotion_track import STATES
from dfer_ros.report.page import report_page
from dfer_ros.report.portraits import portrait_moments, portraits_of
from dfer_ros.ros.waiting import wait_until

SIZES = {"phone": (390, 844), "desktop": (1440, 900)}
SCHEMES = ("light", "dark")
ACCESSIBILITY = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]}
CONTRAST = """(names) => {
  const channels = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const luminance = (colour) => { const [r, g, b] = channels(colour); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = luminance(getComputedStyle(document.querySelector('.person')).backgroundColor);
  return names.map((name) => {
    const mark = document.createElement('i');
    mark.className = 'c-' + name;
    document.body.append(mark);
    const own = luminance(getComputedStyle(mark).color);
    return (Math.max(own, ground) + 0.05) / (Math.min(own, ground) + 0.05);
  });
}"""


@pytest.fixture(scope="module")
def page_file(recording, people, aligned_crop, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    portraits = portraits_of([(moment, aligned_crop) for moment in portrait_moments(people)])
    path.write_text(report_page(recording, people, portraits), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser, page_file):
    """Return a function that opens the page; what the console says and what is asked for lands in page.said."""
    contexts = []

    def open_page(size="desktop", scheme="light", **options):
        width, height = SIZES.get(size, size)
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
        contexts.append(context)
        page = context.new_page()
        page.said = []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("request", lambda request: page.said.append(request.url))
        page.goto(page_file.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(params=[(size, scheme) for size in SIZES for scheme in SCHEMES], ids=" ".join)
def page(request, opened):
    return opened(*request.param)


def test_nothing_is_asked_for_but_the_page_and_nothing_goes_wrong(page, page_file):
    asked = [said for said in page.said if not said.startswith("data:image/jpeg;base64,")]
    assert asked == [page_file.as_uri()]


def test_all_sections_are_there_and_drawn(page):
    assert page.locator("h1").inner_text() == "two people"
    headings = page.locator("h2").all_inner_texts()
    assert headings == [
        "Who was seen, and what was named",
        "face1",
        "face2",
        "Latency and dropped frames",
        "How to read this",
    ]
    assert page.locator(".person h3").count() == 2 * 5
    for drawing in page.locator("svg").all():
        box = drawing.bounding_box()
        assert box["width"] > 100
        assert box["height"] > 20
    assert page.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    ribbon = page.locator(".timeline .sharp.c-happy").first
    assert ribbon.evaluate("(path) => path.getBBox().width") == pytest.approx(60, abs=1)


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
def test_the_page_never_scrolls_sideways(opened, width):
    page = opened((width, 800))
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
def test_no_label_of_a_scale_or_a_row_is_cut_off_or_wrapped(opened, width):
    page = opened((width, 800))
    beyond = """[...document.querySelectorAll('.tick')].filter((tick) =>
      tick.getClientRects().length && tick.textContent &&
      tick.getBoundingClientRect().right > tick.parentElement.getBoundingClientRect().right).length"""
    assert page.evaluate(beyond) == 0
    wide = "[...document.querySelectorAll('.rows > span')].filter((row) => row.scrollWidth > row.clientWidth).length"
    assert page.evaluate(wide) == 0
    high = "[...document.querySelectorAll('.rows > span')].filter((row) => row.scrollHeight > row.clientHeight).length"
    assert page.evaluate(high) == 0


def test_a_table_that_scrolls_has_a_shade_at_its_edge(opened):
    shade = "getComputedStyle(document.querySelector('.table')).backgroundAttachment"
    assert opened("phone").evaluate(shade) == "local, local, scroll, scroll"


def test_words_in_a_table_begin_at_one_line(opened):
    places = """[...document.querySelectorAll('details td .named .swatch')].map((mark) =>
      [mark.closest('table').getAttribute('class') + mark.closest('details').textContent.length,
       mark.closest('td').cellIndex, mark.getBoundingClientRect().left].join(' '))"""
    page = opened("phone")
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    found = set(page.evaluate(places))
    assert len(found) == len({place.rpartition(" ")[0] for place in found}) > 0


@pytest.mark.parametrize(("size", "scheme"), [("phone", "dark"), ("desktop", "light")])
def test_it_can_be_read_by_everyone(opened, size, scheme):
    page = opened(size, scheme)
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    results = Axe().run(page, options=ACCESSIBILITY)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_colours_of_the_expressions_stand_out(opened, scheme):
    contrasts = opened("desktop", scheme).evaluate(CONTRAST, list(STATES))
    assert min(contrasts) >= 3.0


def test_light_and_dark_are_two_pages_to_look_at(opened):
    light, dark = (
        opened("desktop", scheme).evaluate("getComputedStyle(document.body).backgroundColor") for scheme in SCHEMES
    )
    assert (light, dark) == ("rgb(245, 246, 248)", "rgb(14, 17, 22)")


def test_the_pointer_reads_values(opened):
    page = opened()
    plot, readout = page.locator(".timeline .plot").first, page.locator(".readout").first
    plot.hover(position={"x": plot.bounding_box()["width"] * 3 / 12, "y": 100})
    assert readout.inner_text().split(" · ")[0] == "0:03.0 happy"
    assert "intensity 0.90" in readout.inner_text()
    absent = page.locator(".timeline .plot").nth(1)
    absent.hover(position={"x": 10, "y": 100})
    assert page.locator(".readout").nth(1).inner_text().endswith("not in view")


def test_the_keyboard_reads_values(opened):
    page = opened()
    scroll, readout = page.locator(".scroll").first, page.locator(".readout").first
    scroll.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert readout.inner_text().startswith("0:00.1 neutral")
    page.keyboard.press("ArrowLeft")
    assert readout.inner_text().startswith("0:00.0 neutral")


def test_zoom_makes_the_timelines_wider_and_they_scroll_together(opened):
    page = opened()
    width = page.locator(".timeline .plot").first.bounding_box()["width"]
    marks = page.locator(".timeline").first.locator(".tick:visible").count()
    page.get_by_text("8×", exact=True).click()  # noqa: RUF001
    assert page.locator(".timeline .plot").first.bounding_box()["width"] == pytest.approx(8 * width, rel=0.01)
    assert page.locator(".timeline").first.locator(".tick:visible").count() > 3 * marks
    page.locator(".scroll").first.evaluate("(scroll) => { scroll.scrollLeft = 1000; }")
    together = "[...document.querySelectorAll('.scroll')].every((scroll) => scroll.scrollLeft === 1000)"
    # Not wait_for_function(): the page's own policy forbids the eval() in it.
    assert wait_until(lambda: page.evaluate(together))
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440


def test_who_scrolls_while_the_zoom_moves_the_timelines_is_followed(opened):
    """In the frame in which the script puts them to the middle: both make one event."""
    page = opened()
    page.evaluate(
        """() => new Promise((done) => {
          [...document.querySelectorAll('[name="zoom"]')].at(-1).click();
          requestAnimationFrame(() => { document.querySelector(".scroll").scrollLeft = 1000; done(); });
        })"""
    )
    together = "[...document.querySelectorAll('.scroll')].every((scroll) => scroll.scrollLeft === 1000)"
    assert wait_until(lambda: page.evaluate(together))


def test_without_scripts_the_page_is_whole_and_zooms(opened):
    page = opened(java_script_enabled=False)
    assert page.locator(".person").count() == 2
    width = page.locator(".timeline .plot").first.bounding_box()["width"]
    page.get_by_text("4×", exact=True).click()  # noqa: RUF001
    assert page.locator(".timeline .plot").first.bounding_box()["width"] == pytest.approx(4 * width, rel=0.01)


def test_it_prints_on_white_with_every_list_open(opened):
    page = opened("desktop", "dark")
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    assert page.evaluate("[...document.querySelectorAll('details')].every((details) => details.open)")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
