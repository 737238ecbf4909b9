"""What is accepted as an array, a sparse matrix, a number, a name."""
