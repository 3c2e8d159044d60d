"""The whole story on one machine, told through the commands that anyone can run: `python -m guildmark.app.demo`."""
