"""The pages and plots that tell what was measured."""
