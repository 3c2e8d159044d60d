"""guildmark: design, co-sign, assess, award, stack, verify and match micro-credentials.

The rooms tell the story in order: `skills`, `design`, `assess`, `ledger`, `credential`, `pathways`, all standing on
`core`. The outside world lives in `adapters`, the product in `app`, the command line in `cli`. See docs/map.md.
"""

__version__ = "0.1.0"
