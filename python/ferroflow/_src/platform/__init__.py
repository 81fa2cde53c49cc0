"""What programs expect around the library: command line, flags, logging, files, tests."""
