"""The HTTP API: one table of routes, one dispatcher, one small function per endpoint."""
