"""How Sphinx makes the site and the man page of these pages; `make docs`."""

from eardrum import __version__

project = "Eardrum"
copyright = "2026 the Eardrum authors"
version = release = __version__

extensions = ["myst_parser"]
highlight_language = "none"  # of blocks that name none: what a program prints
exclude_patterns = ["*.template.md"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 4  # `page.md#a-heading` leads where it leads on a code host

html_theme = "furo"
html_title = "Eardrum"
html_static_path = ["site"]
html_css_files = ["eardrum.css"]
html_copy_source = False
html_theme_options = {"light_css_variables": {"font-stack--monospace": "ui-monospace, DejaVu Sans Mono, monospace"}}
pygments_style = "a11y-light"
pygments_dark_style = "a11y-dark"

man_pages = [("commands", "eardrum", "sound for Linux containers", "the Eardrum authors", 1)]
man_show_urls = True
