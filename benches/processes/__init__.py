"""Processes that measure: one for each library, in interleaved rounds."""
