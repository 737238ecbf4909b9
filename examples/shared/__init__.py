"""What several examples use. These modules are no programs: they print nothing."""
