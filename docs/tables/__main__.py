"""Write all pages and pictures."""

from tables import PAGES, ROOT, fill, pictures

content = {page: fill(page.read_text(encoding="utf-8")) for page in PAGES} | pictures()
for file, text in content.items():
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")
        print(file.relative_to(ROOT))
