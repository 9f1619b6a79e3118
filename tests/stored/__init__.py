"""Files that version 0.1.0 wrote, and the script that wrote them; every later version reads them."""
