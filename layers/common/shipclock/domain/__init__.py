"""The business, pure: standard library only, no clock, no environment, no I/O."""
