"""Text in, decision out: pure Python and its parsers, no framework, no clock, no network."""
