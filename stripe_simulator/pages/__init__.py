"""The hosted pages and the control page: plain HTML without scripts. Every page says that it is simulated."""
