"""Run random calls in child processes: python -m tests.fuzz --seconds 600."""

from tests.fuzz.run import main

if __name__ == "__main__":
    main()
