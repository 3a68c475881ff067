"""The hosted pages and the control page: plain HTML without script, every page says that it is simulated."""
