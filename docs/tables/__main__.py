"""Write all pages."""

from tables import PAGES, ROOT, fill

for page in PAGES:
    before = page.read_text(encoding="utf-8")
    if (after := fill(before)) != before:
        page.write_text(after, encoding="utf-8")
        print(page.relative_to(ROOT))
