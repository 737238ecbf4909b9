"""How the children of programs that fork in the middle of a call end."""

RIGHT, REFUSED, WRONG, RAISED = 0, 10, 11, 12  # how a child ends
