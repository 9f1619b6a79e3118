"""Writes the computed tables of all pages anew: ``(cd tests && python -m docs_pages)``."""

from docs_pages.generated import TABLES, pages, renewed

for page in pages():
    old = page.read_text("utf-8")
    new = renewed(old, TABLES)
    if new != old:
        page.write_text(new, "utf-8")
        print(f"{page.name}: renewed")
