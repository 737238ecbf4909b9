"""Products with matrices of second derivatives, and these matrices as operators."""
