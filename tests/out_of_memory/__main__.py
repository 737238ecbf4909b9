"""Walk every call: python -m tests.out_of_memory [NAME ...] [--help]."""

from tests.out_of_memory.run import main

if __name__ == "__main__":
    main()
