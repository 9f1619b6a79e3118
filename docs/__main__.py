"""Write what is made from other files: ``python -m docs`` the site's pages, ``python -m docs tables`` computed tables.

The pages go to build/pages, from which MkDocs or Zensical builds the site. The tables are in the pages of docs/.
"""

from __future__ import annotations

import sys

from docs.builder.links import ROOT

if sys.argv[1:] == ["tables"]:
    sys.path += [str(ROOT / "tests"), str(ROOT / "tests" / "support")]  # one table is computed from the tests
    from docs.tables.generated import renew

    for page in renew():
        print(f"{page.name}: renewed")
elif not sys.argv[1:]:
    from docs.builder.site import FOLDER, build

    print(f"{len(build())} pages in {FOLDER}")
else:
    sys.exit(f"python -m docs: expected nothing or `tables`, got {' '.join(sys.argv[1:])!r}.")
