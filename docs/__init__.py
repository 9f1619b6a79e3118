"""The documentation: its pages, and the command that makes the site's pages of them."""
