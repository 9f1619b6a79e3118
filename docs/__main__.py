"""`python -m docs`: writes the pages that MkDocs, or Zensical, makes the site of, into build/pages."""

from docs.builder.site import FOLDER, build

if __name__ == "__main__":
    print(f"{len(build())} pages in {FOLDER}")
