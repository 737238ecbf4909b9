"""Programs that measure memory, or change arrays during calls."""
