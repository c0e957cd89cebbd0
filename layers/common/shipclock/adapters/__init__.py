"""The only doors to AWS and HTTP."""
