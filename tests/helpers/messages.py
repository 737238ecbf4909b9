"""Messages that several tests expect, each worded here alone: `{}` is the name of the argument."""

EMPTY_BATCH = "{}: expected one example or more, got an empty batch"
INPUTS = "{}: expected an array that does not overlap the inputs"
READ_ONLY = "{}: expected a writeable array, got a read-only one"
A_CLASS = "{}: expected a schedule, got the class {} itself"
NO_COLUMN = "column: expected a column of each history, got {!r}; nets[0] has"
# What several calls use at once.
WRITTEN = "{}: another call is writing to this array"
IN_USE = "{}: expected an array that no other call uses, got one in use"
TRAINING = "{}: expected a network that is not being trained, got one in a running training"
