"""Real pages in a real browser: a site in its own processes, and Debian's Chromium in front of it."""
