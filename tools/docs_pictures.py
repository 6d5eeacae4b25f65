"""Take pictures of the site that `make docs` has made, to be looked at: light, dark, and as narrow as a telephone.

    docs_pictures.py DIRECTORY [PAGE…]

A page is named as in `sound-and-containers`; without names every page is taken, but for the decisions. Long pages
are taken in pieces of a window's height.
"""

from __future__ import annotations

import sys
from pathlib import Path

from eardrum.testing.browser import Browser
from eardrum.testing.servers import Stage

SITE = Path(__file__).parents[1] / "build/docs/html"
WINDOWS = {"light": (1280, 1600, False), "dark": (1280, 1600, True), "narrow": (390, 1600, False)}
MOST = 12  # pieces of one page


def main(directory: Path, names: list[str]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    with Stage() as stage:
        browser = Browser(stage)
        for page in [SITE / f"{name}.html" for name in names] or sorted(SITE.glob("*.html")):
            for window, (width, height, dark) in WINDOWS.items():
                browser.look(width, height, dark)
                browser.show(page.as_uri())
                pieces = -(-browser.value("document.scrollingElement.scrollHeight") // height)
                for piece in range(min(pieces, MOST)):
                    browser.value(f"scrollTo({{top: {piece * height}, behavior: 'instant'}})")
                    browser.picture(directory / f"{page.stem}-{window}-{piece + 1}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
