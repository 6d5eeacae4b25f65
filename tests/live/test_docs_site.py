"""The pages as a site, each opened in Chromium: nothing breaks, nothing comes from elsewhere, all fits the window."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from eardrum.testing.browser import Browser

DOCS = Path(__file__).parents[2] / "docs"
WIDTHS = (390, 800, 1024, 1280, 1330, 1600)  # of windows, in CSS pixels
LINKS = "[...document.links].map(link => link.href)"
NAMES = "[...document.querySelectorAll('[id]')].map(it => it.id)"
WIDTH = "document.scrollingElement.scrollWidth"
MISSING = "[...document.images].filter(it => !it.naturalWidth).map(it => it.src)"


def build(builder: str, directory: Path) -> None:
    argv = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "-b", builder, str(DOCS), str(directory)]
    made = subprocess.run(argv, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    directory = tmp_path_factory.mktemp("site")
    build("html", directory)
    return directory


@pytest.fixture(scope="module")
def seen(site, stage):
    """Of every page: its links and names, its widths, missing pictures, what it asked for and what it complained of."""
    browser = Browser(stage)
    pages = {}
    for page in sorted(site.rglob("*.html")):
        browser.show(page.as_uri())
        told = {"links": LINKS, "names": NAMES, "missing": MISSING}
        pages[page] = {name: browser.value(question) for name, question in told.items()}
        pages[page]["widths"] = []
        for width in WIDTHS:
            browser.look(width, 844)
            pages[page]["widths"].append(browser.value(WIDTH))
        pages[page].update(requests=[*browser.requests], errors=[*browser.errors])
    browser.close()
    return pages


def told(seen, site, question):
    """What is to be said of pages, by their name."""
    return {str(page.relative_to(site)): said for page, facts in seen.items() if (said := question(facts))}


def test_every_page_is_there(seen, site):
    pages = {page.relative_to(DOCS).with_suffix(".html") for page in DOCS.rglob("*.md") if ".template" not in page.name}
    assert pages <= {page.relative_to(site) for page in seen}


def test_nothing_fails(seen, site):
    assert told(seen, site, lambda page: page["errors"]) == {}
    assert told(seen, site, lambda page: page["missing"]) == {}


def test_nothing_comes_from_elsewhere(seen, site):
    def elsewhere(page):
        return [address for address in page["requests"] if not address.startswith((site.as_uri(), "data:"))]

    assert told(seen, site, elsewhere) == {}


def test_no_link_is_broken(seen, site):
    def broken(page):
        return [link for link in page["links"] if link.startswith("file:") and not leads_somewhere(link)]

    def leads_somewhere(link):
        address, name = urldefrag(link)
        file = Path(unquote(urlsplit(address).path))
        return (file in seen and (not name or unquote(name) in seen[file]["names"])) or (not name and file.is_file())

    assert told(seen, site, broken) == {}
    assert sum(len(page["links"]) for page in seen.values()) > 1000


def test_pages_beside_the_site_link_to_what_is_there():
    for page in DOCS.parent.glob("*.md"):
        links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
        assert [link for link in links if not (DOCS.parent / link).exists()] == [], page.name


def test_every_page_fits_every_window(seen, site):
    def wider(page):
        return [pair for pair in zip(page["widths"], WIDTHS, strict=True) if pair[0] > pair[1]]

    assert told(seen, site, wider) == {}


def test_the_man_page_has_every_verb(tmp_path):
    from eardrum.cli import VERBS

    build("man", tmp_path)
    page = (tmp_path / "eardrum.1").read_text().replace("\\-", "-")
    assert [verb for verb in VERBS if f"eardrum {verb}" not in page] == []
