"""The hosted pages and the control page: plain HTML that works without script, and says on every page that it is simulated."""
